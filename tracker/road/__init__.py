"""Parts of the road that no other floor owns: the batch on its way, and what it sends out.

Read `tracker/pipeline.py` first; it names each part in the order in which it is used.
"""
