"""Counters of the ingest process and its like, as Prometheus text at `/ingest/metrics`."""

from __future__ import annotations

import os
import resource
from collections import Counter
from contextlib import suppress
from pathlib import Path

import msgspec

from core.statements import counter

SUFFIX = ".metrics"


class Metrics:
    """Plain counters; each is written by one thread only.

    Processes that share a folder tell each other their counters, so that whichever is asked
    answers for all of them.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"{os.getpid()}{SUFFIX}"
        self.requests = 0
        self.answers: dict[int, int] = {}
        self.batches = 0
        self.observations = 0
        self.spooled = 0
        self.drained = 0
        self.waiting = 0

    def tell(self) -> None:
        """Write the counters down for the others. Cheap, but not for each request."""
        fresh = self._file.with_suffix(".tmp")
        fresh.write_bytes(msgspec.json.encode(self._rows()))
        fresh.replace(self._file)

    def forget(self) -> None:
        """Leave nothing behind that the others would count on."""
        self._file.unlink(missing_ok=True)

    def text(self) -> bytes:
        """Return the counters of all processes in Prometheus' text format, version 0.0.4."""
        total = Counter(self._rows())
        for rows in self._of_others():
            total.update(rows)
        return "".join(f"tracker_ingest_{name} {n}\n" for name, n in total.items()).encode()

    def _of_others(self) -> list[dict[str, int]]:
        found = []
        for path in self._file.parent.glob(f"*{SUFFIX}"):
            if path == self._file:
                continue
            if not _is_alive(path.stem):
                path.unlink(missing_ok=True)
                continue
            # It may have ended just now.
            with suppress(FileNotFoundError):
                found.append(msgspec.json.decode(path.read_bytes(), type=dict[str, int]))
        return found

    def _rows(self) -> dict[str, int]:
        return {
            "requests_total": self.requests,
            **{f'answers_total{{status="{s}"}}': n for s, n in sorted(self.answers.items())},
            "batches_total": self.batches,
            "observations_total": self.observations,
            "statements_total": counter[0],
            "spooled_observations_total": self.spooled,
            "drained_observations_total": self.drained,
            "waiting_observations": self.waiting,
            "resident_bytes_max": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
