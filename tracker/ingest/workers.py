"""Several ingest processes behind one port, and their parent, which does nothing else."""

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

# Who dies at once is not born again faster than this.
REST_S = 1.0
END_WITHIN_S = 30.0
LOOK_EVERY_S = 0.5


class Stopped(Exception):
    """The parent was told to end."""


def supervise(count: int, work: Callable[[], None], bury: Callable[[int], None]) -> None:
    """Fork `count` children that `work`, and again whichever dies, until told to end.

    `bury` is called with the process id of each that died.

    Call it before any thread or connection is made: a child would inherit half of it.
    Children end with their parent, however that ends. Exits with status 1 where one had to
    be killed.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    born_at: dict[int, float] = {}
    try:
        for _ in range(count):
            born_at[_fork(work)] = time.monotonic()
        while True:
            pid, status = os.wait()
            lived_s = time.monotonic() - born_at.pop(pid, 0.0)
            log.warning("an ingest worker died", pid=pid, status=status)
            bury(pid)
            time.sleep(max(0.0, REST_S - lived_s))
            born_at[_fork(work)] = time.monotonic()
    except Stopped:
        # Once is enough: the children get theirs from here.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        sys.exit(0 if _end(set(born_at)) else 1)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _fork(work: Callable[[], None]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
        work()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # it must not go on as if it were the parent
        log.exception("an ingest worker failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _end_with(parent: int) -> None:
    """End this process gracefully once its parent is gone."""
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _end(pids: set[int]) -> bool:
    """End the children; return whether all went by themselves."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + END_WITHIN_S
    while pids and time.monotonic() < until:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True  # The last one was waited for just when the signal came.
        pids.discard(pid)
        if not pid:
            time.sleep(0.05)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return not pids
