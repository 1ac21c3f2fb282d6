"""Parts of the road that no other floor owns: deliveries, the batch, and its live frames.

Read `tracker/pipeline.py` first; it names each part in the order in which it is used.
"""
