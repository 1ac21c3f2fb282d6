"""The wire formats, a module each: its detection, its decoding, and the answers to its senders."""
