"""Geofences and their consequences: containment, presence, crossings, visits.

`shapes`, `zone_index` and `crossings` decide and are plain Python. The road calls
them with values; the stored shapes are in PostGIS.
"""
