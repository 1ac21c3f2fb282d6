"""Assets, devices, assignments of devices to assets, and sources with their tokens.

Owns the registry, from which the road learns the asset of a device. Leaves positions to
`positions`, and their consequences to `geofence` and `alerts`.
"""
