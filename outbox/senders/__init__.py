"""The senders, a module each: `SENDER` is a class with the interface of `channels.Sender`.

Each module here is found, and named nowhere else. A sender takes messages; it knows neither
rows nor leases nor the contents of a message.
"""
