"""A folder in which the processes of one door share their metrics.

The folder is in memory: prometheus-client maps its files, and if a full disk has no room for a page
of one, the process dies at once, just when the spool is needed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

IN_MEMORY = Path("/dev/shm")  # noqa: S108  folders in it have random names
PREFIX = "tracker-metrics-"


@contextmanager
def shared_metrics(parent: Path | None = None) -> Iterator[Path]:
    """Let this process and those that it forks share the metrics that they import inside.

    prometheus-client reads the name of the folder when it is imported, so call this before. Folders
    of processes that were killed are removed.
    """
    if parent is None:
        parent = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    # Locked before it is renamed, or a process that starts just now would remove it as abandoned.
    unnamed = Path(tempfile.mkdtemp(prefix=".", dir=parent))
    lock = os.open(unnamed, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder = unnamed.rename(parent / f"{PREFIX}{unnamed.name[1:]}")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        # The folder may belong to another user, or be removed by now.
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
