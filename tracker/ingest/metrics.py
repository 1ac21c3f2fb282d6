"""Metrics of the door, by prometheus-client; `/ingest/metrics` answers for all its processes.

Counting costs prometheus-client 1 µs, and 2 in a histogram. A request counts a handful of things,
so the door counts in plain numbers, and `flush` adds them up twice a second and before each scrape.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)

from core.statements import counter

disable_created_metrics()  # type: ignore[no-untyped-call]

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class TalliedHistogram(Histogram):
    """A histogram that takes what was tallied elsewhere, all at once."""

    def add(self, counts: Sequence[int], total: float) -> None:
        """Add so many observations to each bucket; `total` is their sum."""
        self._sum.inc(total)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


class Tally:
    """What a histogram would hold, in plain numbers."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def note(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


_COUNTERS = {
    "requests": Counter("tracker_ingest_requests", "Requests whose head was read"),
    "batches": Counter("tracker_ingest_batches", "Batches that were committed or spooled"),
    "observations": Counter("tracker_ingest_observations", "Observations in these batches"),
    "statements": Counter("tracker_ingest_statements", "Statements that the road ran"),
    "spooled": Counter("tracker_ingest_spooled_observations", "Observations that were spooled"),
    "drained": Counter("tracker_ingest_drained_observations", "Spooled ones, stored since"),
    "cpu_s": Counter("tracker_ingest_cpu_seconds", "Processor time that was used"),
}
_LABELLED = {
    "answers": Counter("tracker_ingest_answers", "Answers, by HTTP status", ["status"]),
    "outcomes": Counter(
        "tracker_ingest_outcomes", "What became of observations in batches", ["disposition"]
    ),
}
_HISTOGRAMS = {
    "answer_s": TalliedHistogram(
        "tracker_ingest_answer_seconds", "From a whole request to its answer", buckets=_SECONDS
    ),
    "commit_s": TalliedHistogram(
        "tracker_ingest_commit_seconds", "From a batch to its commit", buckets=_SECONDS
    ),
    "batch_size": TalliedHistogram(
        "tracker_ingest_batch_deliveries", "Deliveries of a batch", buckets=_SIZES
    ),
}
_GAUGES = {
    "waiting": Gauge(
        "tracker_ingest_waiting_observations",
        "Observations that wait to be stored",
        multiprocess_mode="livesum",
    ),
    # The processes share it: each sees all of it.
    "spool_bytes": Gauge(
        "tracker_ingest_spool_bytes", "Bytes that wait in the spool", multiprocess_mode="livemax"
    ),
    "peak_memory_bytes": Gauge(
        "tracker_ingest_resident_memory_peak_bytes",
        "Most memory that the processes ever had, together",
        multiprocess_mode="livesum",
    ),
}


class Metrics:
    """Plain numbers, each written by one thread only; they only grow, but for the gauges."""

    def __init__(self) -> None:
        self.requests = 0
        self.batches = 0
        self.observations = 0
        self.spooled = 0
        self.drained = 0
        self.waiting = 0
        self.spool_bytes = 0
        self.answers: dict[int, int] = {}
        self.outcomes: dict[str, int] = {}
        self.answer_s, self.commit_s = Tally(_SECONDS), Tally(_SECONDS)
        self.batch_size = Tally(_SIZES)
        self._flushed: dict[object, float] = {}
        self._flushing = threading.Lock()

    @property
    def statements(self) -> int:
        return counter[0]

    @property
    def cpu_s(self) -> float:
        return time.process_time()

    @property
    def peak_memory_bytes(self) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def flush(self) -> None:
        """Add what was counted since the last time. May be called from any thread."""
        with self._flushing:
            for name, plain in _COUNTERS.items():
                plain.inc(self._since_last(name, getattr(self, name)))
            for name, labelled in _LABELLED.items():
                for label, count in list(getattr(self, name).items()):
                    labelled.labels(label).inc(self._since_last((name, label), count))
            for name, histogram in _HISTOGRAMS.items():
                self._flush_tally(name, getattr(self, name), histogram)
            for name, gauge in _GAUGES.items():
                gauge.set(getattr(self, name))

    def page(self) -> bytes:
        """Return everything in Prometheus' text format."""
        self.flush()
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(REGISTRY)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _flush_tally(self, name: str, tally: Tally, histogram: TalliedHistogram) -> None:
        counts = [
            int(self._since_last((name, number), count))
            for number, count in enumerate(list(tally.counts))
        ]
        histogram.add(counts, self._since_last(name, tally.total))

    def _since_last(self, key: object, now: float) -> float:
        before = self._flushed.get(key, 0)
        self._flushed[key] = now
        return now - before
