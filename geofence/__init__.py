"""Geofences and what follows from them: containment, presence, crossings, visits.

`shapes`, `zone_index` and `crossings` decide and are plain Python. The road calls
them with values; PostGIS holds the truth of the shapes.
"""
