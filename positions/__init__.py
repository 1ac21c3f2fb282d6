"""Memory: positions of devices, latest states of assets, occurrences and checkpoints.

Only this package touches the position table. The states of folds are opaque bytes here; the
floors that judge can read them.
"""
