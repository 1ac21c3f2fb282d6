"""Memory: positions of devices, latest state of assets, and checkpoints.

Only this package touches the position table. What the opaque `fold` of an asset
means is known to the floors that judge.
"""
