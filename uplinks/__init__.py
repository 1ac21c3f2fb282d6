"""What came in: what was set aside, the books of each source, and misused tokens.

Leaves what was stored of it to `positions`; taking up again takes the road, and is a door's.
"""
