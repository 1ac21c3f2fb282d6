"""The socket of the live map: access, changes, and no more frames than a viewer can take.

`hub` holds the latest state of every asset in this process, from Redis frames and, where frames
were lost, from the database. A connection has all changes up to some `seq`; further changes are
collected when its viewer can take them, so no frames queue. docs/live-protocol.md is the contract
with the console. Writes no rows. `geofence` and `alerts` render crossings and alerts.
"""
