"""Formats of dates in server-rendered pages: day first, to the second, and with their zone.

Django finds the modules by the name of the language.
"""
