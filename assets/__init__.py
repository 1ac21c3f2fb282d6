"""Who and what: people, organisations, assets, devices, assignments and sources.

Owns the registry that tells the road which asset a device is on, and the tokens
that open the doors. Leaves where things are to `positions`, and what
follows from it to `geofence` and `alerts`.
"""
