"""The hot door: a small ASGI application before Django.

Owns receiving requests, authenticating their sources, and answering them with receipts. The uplinks
are submitted to the intake, in `tracker/intake`.
"""
