"""Counters of one ingest process, shown as Prometheus text at `/ingest/metrics`."""

from __future__ import annotations

import resource

from tracker.statements import counter


class Metrics:
    """Plain counters; each is written by one thread only."""

    def __init__(self) -> None:
        self.requests = 0
        self.answers: dict[int, int] = {}
        self.batches = 0
        self.observations = 0
        self.spooled = 0
        self.drained = 0
        self.waiting = 0

    def text(self) -> bytes:
        """Return the counters in Prometheus' text format, version 0.0.4."""
        rows = [
            ("requests_total", "", self.requests),
            *(("answers_total", f'{{status="{s}"}}', n) for s, n in sorted(self.answers.items())),
            ("batches_total", "", self.batches),
            ("observations_total", "", self.observations),
            ("statements_total", "", counter[0]),
            ("spooled_observations_total", "", self.spooled),
            ("drained_observations_total", "", self.drained),
            ("waiting_observations", "", self.waiting),
            (
                "resident_bytes_max",
                "",
                resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            ),
        ]
        return "".join(f"tracker_ingest_{name}{labels} {n}\n" for name, labels, n in rows).encode()
