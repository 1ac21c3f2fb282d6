"""Wiring of the project itself: a check that `migrate` and `check --database default` make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from positions.durability import switched_off
from tracker import celery

# Whoever sends tasks must know this application, or they go to a broker that nobody has.
__all__ = ["TrackerConfig", "celery"]


class TrackerConfig(AppConfig):
    name = "tracker"
    verbose_name = "Tracker"

    def ready(self) -> None:
        register(check_durability, Tags.database)


def check_durability(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Refuse a database that may forget what it has committed (fault F-146)."""
    return [
        Error(f"PostgreSQL has {name} off: acknowledged positions can be lost.", id="tracker.E001")
        for alias in databases or ()
        for name in switched_off(connections[alias])
    ]
