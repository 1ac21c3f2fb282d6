"""Metrics that are counted in plain numbers first, and flushed to prometheus-client later.

Counting costs prometheus-client 1 µs, and 2 in a histogram, several times for each uplink. So the
hot path counts in plain numbers, and `flush` adds them up twice a second and before each scrape.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class BulkHistogram(Histogram):
    """A histogram to which many observed values can be added at once."""

    def add(self, counts: Sequence[int], total: float) -> None:
        """Add so many values to each bucket; `total` is their sum."""
        self._sum.inc(total)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


class HistogramBuffer:
    """The counts and the sum of a histogram, in plain numbers."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class BufferedMetrics:
    """Plain numbers, each written by one thread only. Except for gauges they only grow.

    A subclass has an attribute for each name in its tables: a number, for `labelled` a mapping
    from label to number, for `histograms` a HistogramBuffer.
    """

    counters: ClassVar[Mapping[str, Counter]] = {}
    labelled: ClassVar[Mapping[str, Counter]] = {}
    histograms: ClassVar[Mapping[str, BulkHistogram]] = {}
    gauges: ClassVar[Mapping[str, Gauge]] = {}

    def __init__(self) -> None:
        self._flushed: dict[object, float] = {}
        self._flushing = threading.Lock()

    def flush(self) -> None:
        """Add the counts since the last flush. May be called from any thread."""
        with self._flushing:
            for name, plain in self.counters.items():
                plain.inc(self._growth(name, getattr(self, name)))
            for name, labelled in self.labelled.items():
                for label, count in list(getattr(self, name).items()):
                    labelled.labels(label).inc(self._growth((name, label), count))
            for name, histogram in self.histograms.items():
                self._flush_histogram(name, getattr(self, name), histogram)
            for name, gauge in self.gauges.items():
                gauge.set(getattr(self, name))

    def _flush_histogram(
        self, name: str, buffer: HistogramBuffer, histogram: BulkHistogram
    ) -> None:
        counts = [
            int(self._growth((name, number), count))
            for number, count in enumerate(list(buffer.counts))
        ]
        histogram.add(counts, self._growth(name, buffer.total))

    def _growth(self, key: object, now: float) -> float:
        before = self._flushed.get(key, 0)
        self._flushed[key] = now
        return now - before
