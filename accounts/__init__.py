"""People: users, organisations, memberships, tokens, what is visible to whom, and the audit trail.

Owns who may do what. Leaves what an organisation owns to the floors above.
"""
