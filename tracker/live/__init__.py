"""The live map's socket: who may listen, what changed, and never more than a viewer can take.

`hub` holds the latest of every asset in this process, from Redis frames and, where those were
lost, from the database. A connection is a viewer that has everything up to some `seq`; what it
is owed is worked out when it can take it, so nothing queues. docs/live-protocol.md is the
contract with the console. Writes nothing, and leaves what a crossing or an alert says to others.
"""
