"""Python's search for garbage that refers to itself, as a process of ours needs it: seldom."""

from __future__ import annotations

import gc


def calm_the_collector() -> None:
    """Take all that is there for staying, and let several batches pass between two searches.

    What a batch makes is gone with it, without any search.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
