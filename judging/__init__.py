"""Judging: runs any number of folds over an asset's facts, and judges again after late facts.

Plain Python. Owns the interface of a fold, the composite state of an asset, the differences to
recorded findings, and the motion of assets. Leaves crossings and conditions to the folds of the
floors above, and loading and writing to the road.
"""
