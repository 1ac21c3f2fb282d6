"""The languages that senders speak, a module each: how to know one, its manners, its meaning."""
