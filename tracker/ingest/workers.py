"""Several ingest processes behind one port, and their parent, which only supervises them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import structlog

log = structlog.get_logger(__name__)

# A child that dies at once is restarted no faster than this.
MIN_LIFETIME_S = 1.0
STOP_TIMEOUT_S = 30.0
CHECK_PARENT_EVERY_S = 0.5


class StopRequested(Exception):
    """The parent got a signal to end."""


def supervise(count: int, work: Callable[[], None], on_death: Callable[[int], None]) -> None:
    """Fork `count` children that `work`, and restart children that die, until a signal to end.

    `on_death` is called with the process id of each child that died.

    Call it before any thread or connection is made: a child would inherit half of it. Children end
    with their parent, even if it is killed. Exits with status 1 if a child had to be killed.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _request_stop)
    started_at: dict[int, float] = {}
    try:
        for _ in range(count):
            started_at[_fork(work)] = time.monotonic()
        while True:
            pid, status = os.wait()
            lived_s = time.monotonic() - started_at.pop(pid, 0.0)
            log.warning("an ingest worker died", pid=pid, status=status)
            on_death(pid)
            time.sleep(max(0.0, MIN_LIFETIME_S - lived_s))
            started_at[_fork(work)] = time.monotonic()
    except StopRequested:
        # Ignore further signals: the children are stopped once, below.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        sys.exit(0 if _stop_children(set(started_at)) else 1)


def _request_stop(number: int, frame: FrameType | None) -> None:
    raise StopRequested


def _fork(work: Callable[[], None]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        threading.Thread(target=_stop_with_parent, args=(parent,), daemon=True).start()
        work()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # the child must not go on as if it were the parent
        log.exception("an ingest worker failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _stop_with_parent(parent: int) -> None:
    """End this process gracefully once its parent is gone."""
    while os.getppid() == parent:
        time.sleep(CHECK_PARENT_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _stop_children(pids: set[int]) -> bool:
    """Stop the children; return whether all ended without being killed."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + STOP_TIMEOUT_S
    while pids and time.monotonic() < until:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True  # The last child was reaped just when the signal came.
        pids.discard(pid)
        if not pid:
            time.sleep(0.05)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return not pids
