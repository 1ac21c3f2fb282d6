"""Usage of assets on its way to an invoice. For now: the hours in which each asset reported.

Owns the counting; prices follow from plans that do not exist yet.
"""
