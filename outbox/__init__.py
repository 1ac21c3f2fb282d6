"""Notifications of every kind, from the row to the sender.

An author, such as `alerts`, writes rows with `actions` in its own transaction, and `nudging`
starts a task after the commit. The author also renders the text, when it is sent: see
`rendering`. A module of `senders` delivers it. Recipients and contents belong to the authors.
"""
