"""Check of the settings of PostgreSQL without which a commit may not survive a power failure.

An answer to a sender promises that the observation is kept; it needs these three settings
(fault F-146).
"""

from __future__ import annotations

import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DatabaseError, InterfaceError

logger = logging.getLogger(__name__)

NEEDED = ("fsync", "full_page_writes", "synchronous_commit")
ASK_AGAIN_AFTER_S = 1.0


def switched_off(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the settings without which an acknowledged commit can be lost."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off' ORDER BY name",
            [list(NEEDED)],
        )
        return [name for (name,) in cursor.fetchall()]


def require_durable(connection: BaseDatabaseWrapper) -> None:
    """Raise ImproperlyConfigured if the database may lose committed transactions."""
    if off := switched_off(connection):
        raise ImproperlyConfigured(
            f"PostgreSQL has {', '.join(off)} switched off, so that acknowledged positions can"
            " be lost. Switch it on, or use another database."
        )


def refuse_to_start(connection: BaseDatabaseWrapper, *, waits: bool) -> None:
    """End the process with one line if the database may lose committed transactions.

    If the database does not answer, wait for it if `waits`; otherwise let the process start, and
    let `/readyz` report the missing database. Leaves no connection open, so that processes may
    fork.
    """
    is_logged = False
    # In a thread, since some servers import us inside their event loop, where Django refuses.
    with ThreadPoolExecutor(1) as thread:
        while error := thread.submit(_durability_error, connection).result():
            if isinstance(error, ImproperlyConfigured):
                sys.exit(f"Refused to start: {error}")
            if not is_logged:
                logger.warning("the database does not answer: %s", reason_of(error))
            is_logged = True
            if not waits:
                return
            time.sleep(ASK_AGAIN_AFTER_S)


def _durability_error(connection: BaseDatabaseWrapper) -> Exception | None:
    try:
        require_durable(connection)
    except (ImproperlyConfigured, DatabaseError, InterfaceError) as error:
        return error
    finally:
        connection.close()
    return None


def reason_of(error: Exception) -> str:
    """Return the driver's message in one line."""
    return " ".join(str(error).split())[:200]
