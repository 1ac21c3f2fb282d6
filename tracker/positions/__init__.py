"""Memory: positions of devices, latest state of assets, checkpoints, and what was set aside.

Only this package touches the position table. What the opaque `fold` of an asset
means is known to the floors that judge.
"""
