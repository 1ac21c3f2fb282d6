"""Usage of assets on its way to an invoice. For now: in which hours each asset reported.

Owns the counting; what is owed for it follows from plans that are still to come.
"""
