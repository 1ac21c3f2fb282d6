"""The ways out, one module each: `SENDER` is its class, of the shape of `channels.Sender`.

A module that is put here is found; nothing else names it. A sender knows messages, and nothing
of rows, leases or what a message is about.
"""
