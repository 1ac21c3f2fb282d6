"""The road of an observation: doors, pipeline, memory, wire formats, live push, and the wiring.

What the observations are about (organisations, assets, devices) is in `assets`;
what follows from them is in `geofence`, `alerts` and `billing`.
"""
