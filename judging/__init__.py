"""The machine for late facts: any number of folds over the same facts, judged again where late.

Plain Python. Owns what a fold is, the composite state of an asset, the stretches between
checkpoints, differences to what was recorded, and the motion of assets. Leaves what crossings
and conditions are to the folds of the floors above, and loading and writing to the road.
"""
