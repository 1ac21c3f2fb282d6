"""The intake between the doors and the road: from an uplink of a trusted source to its receipt.

Owns the parts that all doors share: the checks of an uplink and its device, group commit, the log
for times without a database, back-pressure, and refreshing registry and zones. Receiving an uplink
and answering its sender belong to a door; storing and judging its observations belong to the road,
in `tracker/pipeline.py`.
"""
