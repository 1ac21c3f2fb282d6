"""Wire formats and payloads, and nothing else: bytes, headers and a query in; observations out.

Owns the wire formats, their units and their traps, one module each, and the registry
that names them. Pure functions: who may send, what is stored and which HTTP status
is answered belongs to the doors.
"""
