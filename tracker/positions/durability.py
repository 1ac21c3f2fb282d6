"""Is the database set up so that a commit survives the power going out?

An acknowledgement is a promise; these three settings are what makes it true (fault F-146).
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper

NEEDED = ("fsync", "full_page_writes", "synchronous_commit")


def switched_off(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the settings without which an acknowledged commit can be lost."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off' ORDER BY name",
            [list(NEEDED)],
        )
        return [name for (name,) in cursor.fetchall()]


def require_durable(connection: BaseDatabaseWrapper) -> None:
    """Raise ImproperlyConfigured if the database may forget what it has committed."""
    if off := switched_off(connection):
        raise ImproperlyConfigured(
            f"PostgreSQL has {', '.join(off)} switched off, so that acknowledged positions can"
            " be lost. Switch it on, or use another database."
        )
