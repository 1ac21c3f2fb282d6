"""People: users, organisations, memberships, tokens, visibility of rows, and the audit trail.

Owns the rights of users. Leaves the property of organisations to the floors above.
"""
