"""A folder of senders as `outbox.senders` is one."""
