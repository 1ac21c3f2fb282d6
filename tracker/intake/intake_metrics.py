"""The metrics of the intake."""

from __future__ import annotations

from typing import ClassVar, Final

from prometheus_client import Counter, Gauge

from core.statements import counter
from tracker.intake.buffered_metrics import (
    SECONDS,
    BufferedMetrics,
    BulkHistogram,
    HistogramBuffer,
)

_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class IntakeMetrics(BufferedMetrics):
    """The metrics of an intake, for all doors together."""

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
        "commit_s": BulkHistogram(
            "tracker_ingest_commit_seconds", "From a batch to its commit", buckets=SECONDS
        ),
        "batch_size": BulkHistogram(
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
        self.commit_s, self.batch_size = HistogramBuffer(SECONDS), HistogramBuffer(_SIZES)

    @property
    def statements(self) -> int:
        return counter[0]
