"""A fleet that does not exist, telling a server where it is.

Owns made and recorded routes, the faults of radio links, and the wire formats that real senders
use, written from their documentation. It plays a stranger: it knows the server's URLs and
tokens, and imports none of its code. `routes`, `fleet` and `formats` are pure and, with the same
seed, always say the same; only `senders` and `__main__` see a clock and a network.
"""
