"""The metrics of the door, and the page of `/ingest/metrics` for all its processes together."""

from __future__ import annotations

import os
import resource
import time
from typing import ClassVar, Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    generate_latest,
    multiprocess,
)

from tracker.intake.buffered_metrics import SECONDS, BufferedMetrics, BulkHistogram, HistogramBuffer

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


class DoorMetrics(BufferedMetrics):
    counters: ClassVar = {
        "requests": Counter("tracker_ingest_requests", "Requests whose head was read"),
        "cpu_s": Counter("tracker_ingest_cpu_seconds", "Processor time that was used"),
    }
    labelled: ClassVar = {
        "answers": Counter("tracker_ingest_answers", "Answers, by HTTP status", ["status"]),
    }
    histograms: ClassVar = {
        "answer_s": BulkHistogram(
            "tracker_ingest_answer_seconds",
            "From a whole request to its answer",
            buckets=SECONDS,
        ),
    }
    gauges: ClassVar = {
        "peak_memory_bytes": Gauge(
            "tracker_ingest_resident_memory_peak_bytes",
            "Most memory that the processes ever had, together",
            multiprocess_mode="livesum",
        ),
    }

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0
        self.answers: dict[int, int] = {}
        self.answer_s = HistogramBuffer(SECONDS)

    @property
    def cpu_s(self) -> float:
        return time.process_time()

    @property
    def peak_memory_bytes(self) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def metrics_page() -> bytes:
    """Return all flushed metrics in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
