"""The hot door: a small ASGI application before Django.

Owns receiving, authenticating, group commit, receipts, back-pressure and the spool.
What happens to the observations is the road's, in `tracker/pipeline.py`.
"""
