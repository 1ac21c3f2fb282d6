"""Asking the database from the event loop, in threads of our own.

Django's own bridge would queue behind the views of the same process.
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


async def asked(question: Callable[[], T]) -> T:
    """Return the answer of `question`, which may query, without holding up the loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _with_connection, question)


def _with_connection(question: Callable[[], T]) -> T:
    # A connection that the server dropped meanwhile is replaced rather than reported.
    close_old_connections()
    try:
        return question()
    finally:
        close_old_connections()
