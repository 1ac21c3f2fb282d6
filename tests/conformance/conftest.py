"""A Redis of the web process's own."""

from tests.live.conftest import own_redis

__all__ = ["own_redis"]
