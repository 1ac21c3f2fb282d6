"""Settings of Python's cyclic garbage collector for a process that runs for long."""

from __future__ import annotations

import gc


def tune_garbage_collection() -> None:
    """Exempt existing objects from collection, and collect once in several batches.

    The objects of a batch have no reference cycles: they are freed without the collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
