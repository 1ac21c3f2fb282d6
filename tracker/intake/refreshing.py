"""Refreshing registry and zones in the background, so that batches seldom have to."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from tracker.road.road_memory import RoadMemory

log = structlog.get_logger(__name__)

REFRESH_EVERY_S = 0.5


class Refresher:
    """A thread that reads changes of registry and zones, and calls `report` before each round."""

    def __init__(self, memory: RoadMemory, report: Callable[[], None]) -> None:
        self._memory = memory
        self._report = report
        self._is_over = threading.Event()
        self._is_broken = False
        self._thread = threading.Thread(target=self._run, name="refresh", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin no further round, without waiting for the current round."""
        self._is_over.set()

    def _run(self) -> None:
        while not self._is_over.wait(REFRESH_EVERY_S):
            self._report()
            try:
                close_old_connections()
                self._memory.registry.refresh()
                self._memory.zones.refresh()
                self._is_broken = False
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                if not self._is_broken:
                    log.warning("the registry is not refreshed: no database", reason=_short(error))
                self._is_broken = True
        connection.close()


def _short(error: Exception) -> str:
    return str(error)[:200]
