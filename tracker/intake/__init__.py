"""The intake between the doors and the road: from an uplink of a trusted source to its receipt.

Owns what no door should have of its own: the checks of an uplink and its device, group commit,
the log for times without a database, back-pressure, and keeping registry and zones fresh. How an
uplink arrived and how its sender is answered is a door's; what its observations lead to is the
road's, in `tracker/pipeline.py`.
"""
