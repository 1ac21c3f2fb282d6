"""Queries from the event loop, in threads of the live map.

Django's `sync_to_async` would queue behind the views of the same process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

T = TypeVar("T")
# One for each thread.
CONNECTIONS_OF_LIVE_MAP = 2
_threads = ThreadPoolExecutor(CONNECTIONS_OF_LIVE_MAP, thread_name_prefix="live-database")


async def query_in_thread(query: Callable[[], T]) -> T:
    """Return the result of `query`, which may use the database, without blocking the loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _with_connection, query)


def _with_connection(query: Callable[[], T]) -> T:
    # Replaces a connection that the server has closed meanwhile, instead of raising.
    close_old_connections()
    try:
        return query()
    finally:
        close_old_connections()
