"""Conventions of our HTTP: problems, pages of a list, strict JSON, permissions, GeoJSON.

Knows no table and no app. The meaning of a request is left to the doors.
"""
