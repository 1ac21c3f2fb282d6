"""Counting for prometheus-client in plain numbers, and what the intake counts.

Counting costs prometheus-client 1 µs, and 2 in a histogram. An uplink counts a handful of things,
so the hot path counts in plain numbers, and `flush` adds them up twice a second and before each
scrape.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from core.statements import counter

disable_created_metrics()  # type: ignore[no-untyped-call]

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
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


class PlainMetrics:
    """Plain numbers, each written by one thread only; they only grow, but for the gauges.

    A subclass has an attribute for each name in its tables: a number, for `labelled` a mapping
    from label to number, for `histograms` a Tally.
    """

    counters: ClassVar[Mapping[str, Counter]] = {}
    labelled: ClassVar[Mapping[str, Counter]] = {}
    histograms: ClassVar[Mapping[str, TalliedHistogram]] = {}
    gauges: ClassVar[Mapping[str, Gauge]] = {}

    def __init__(self) -> None:
        self._flushed: dict[object, float] = {}
        self._flushing = threading.Lock()

    def flush(self) -> None:
        """Add what was counted since the last time. May be called from any thread."""
        with self._flushing:
            for name, plain in self.counters.items():
                plain.inc(self._since_last(name, getattr(self, name)))
            for name, labelled in self.labelled.items():
                for label, count in list(getattr(self, name).items()):
                    labelled.labels(label).inc(self._since_last((name, label), count))
            for name, histogram in self.histograms.items():
                self._flush_tally(name, getattr(self, name), histogram)
            for name, gauge in self.gauges.items():
                gauge.set(getattr(self, name))

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


class IntakeMetrics(PlainMetrics):
    """What is counted between the doors and the road, whatever door it came in by."""

    counters: ClassVar = {
        "batches": Counter("tracker_ingest_batches", "Batches that were committed or spooled"),
        "observations": Counter("tracker_ingest_observations", "Observations in these batches"),
        "statements": Counter("tracker_ingest_statements", "Statements that the road ran"),
        "spooled": Counter("tracker_ingest_spooled_observations", "Observations that were spooled"),
        "drained": Counter("tracker_ingest_drained_observations", "Spooled ones, stored since"),
    }
    labelled: ClassVar = {
        "outcomes": Counter(
            "tracker_ingest_outcomes", "What became of observations in batches", ["disposition"]
        ),
    }
    histograms: ClassVar = {
        "commit_s": TalliedHistogram(
            "tracker_ingest_commit_seconds", "From a batch to its commit", buckets=SECONDS
        ),
        "batch_size": TalliedHistogram(
            "tracker_ingest_batch_deliveries", "Deliveries of a batch", buckets=_SIZES
        ),
    }
    gauges: ClassVar = {
        "waiting": Gauge(
            "tracker_ingest_waiting_observations",
            "Observations that wait to be stored",
            multiprocess_mode="livesum",
        ),
        # The processes share it: each sees all of it.
        "spool_bytes": Gauge(
            "tracker_ingest_spool_bytes",
            "Bytes that wait in the spool",
            multiprocess_mode="livemax",
        ),
    }

    def __init__(self) -> None:
        super().__init__()
        self.batches = self.observations = 0
        self.spooled = self.drained = 0
        self.waiting = self.spool_bytes = 0
        self.outcomes: dict[str, int] = {}
        self.commit_s, self.batch_size = Tally(SECONDS), Tally(_SIZES)

    @property
    def statements(self) -> int:
        return counter[0]
