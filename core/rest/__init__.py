"""How HTTP is spoken here: problems, pages of a list, strict JSON, permissions, GeoJSON.

Knows no table and no app. What a request means is left to the doors.
"""
