"""Notifications on their way to people, whatever they are about.

An author (alerts today) writes rows here in its own transaction with `actions`, and `nudging`
has them sent after its commit. The author also renders the text, when it is sent: see
`rendering`. What carries a text is a module of `senders`. Leaves who is to be told, and of
what, to the authors.
"""
