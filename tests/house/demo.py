"""The demo, run as `make demo` runs it, over servers that nobody else has."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ROOT / "deploy" / "local" / "servers"
DEMO = ROOT / "deploy" / "local" / "demo"
READY_WITHIN_S = 180.0
ENDS_WITHIN_S = 60.0


@dataclass
class Demo:
    """`home` takes the place of `.local`."""

    home: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def environment(self) -> dict[str, str]:
        given = {key: os.environ[key] for key in os.environ if key not in _TOLD_ELSEWHERE}
        return given | {"LOCAL_DIR": str(self.home)}

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def _log(self) -> Path:
        return self.home / "demo.log"

    def start(self) -> None:
        """Start as a terminal does, in a group of its own, and wait until it says it is ready."""
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [SERVERS, "run", DEMO],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while "^C ends everything" not in self.log:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the demo did not start:\n{self.log[-3000:]}")
            time.sleep(0.1)

    def interrupt(self) -> int:
        """Press ^C: everything in the foreground hears of it. Return the exit status."""
        assert self.process is not None, "it was started"
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(ENDS_WITHIN_S)

    def discard(self) -> None:
        if self.process is not None and self.is_running:
            self.process.terminate()
            self.process.wait(ENDS_WITHIN_S)
        subprocess.run([SERVERS, "discard"], env=self.environment, check=True)
        shutil.rmtree(self.home, ignore_errors=True)

    # --- what it prints ------------------------------------------------------------------

    @property
    def url(self) -> str:
        return self._said(r"Ready: +(http\S+?)/?\n")

    @property
    def admin_password(self) -> str:
        return self._said(r"admin +admin +(\S+)")

    @property
    def curl(self) -> str:
        return self._said(r"(curl -X POST '\S+')")

    def _said(self, pattern: str) -> str:
        found = re.search(pattern, self.log)
        if found is None:
            raise RuntimeError(f"the demo does not print {pattern}")
        return found[1]

    # --- who works for it ----------------------------------------------------------------

    def processes(self) -> dict[int, str]:
        """Every process that was started with this home, with its command."""
        mark = f"LOCAL_DIR={self.home}".encode()
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(entry.name)] = command.decode(errors="replace")
        return found

    def pids_of(self, words: str) -> list[int]:
        return [pid for pid, command in self.processes().items() if words in command]


# What would lead a demo to servers, or to logs, of somebody else's.
_TOLD_ELSEWHERE = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "LOG_LEVEL", "SPOOL_DIR")


@contextlib.contextmanager
def own_demo() -> Iterator[Demo]:
    """Return a demo that has not been started, and throw away what it made."""
    home = Path(tempfile.mkdtemp(prefix="tracker demo "))
    # The account of the servers must reach its part of it.
    home.chmod(0o755)
    demo = Demo(home)
    try:
        yield demo
    finally:
        demo.discard()
