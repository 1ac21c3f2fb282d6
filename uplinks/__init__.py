"""Uplinks that were set aside, the books of each source, and misused tokens.

Leaves stored observations to `positions`, and the replay of uplinks to the doors of the road.
"""
