"""A simulated fleet that reports to a server.

Owns computed and recorded routes, the faults of radio links, and the wire formats of real
senders, written from their documentation. It behaves like a foreign program: it knows the
server's URLs and tokens, and imports none of its code. `routes`, `fleet` and `request_formats`
are pure and give the same for the same seed; only `senders` and `__main__` use a clock and a
network.
"""
