"""What ingest lives through: a database that dies, hangs or is cut off, under a load."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from django.db import connection

from tests.builders import MORNING
from tests.ingest.world import ROOT, Database, Sender, eventually, free_port


@dataclass
class Wire:
    """A wire to the database that can be cut, and that can swallow the answer to a commit."""

    database: Database
    port: int = field(default_factory=free_port)
    swallowed: int = 0
    _to_swallow: int = 0
    _is_whole: bool = True
    _ends: list[socket.socket] = field(default_factory=list)
    _door: socket.socket | None = None

    @property
    def url(self) -> str:
        return self.database.url_by_way_of(self.port)

    def open(self) -> None:
        self._door = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, args=(self._door,), daemon=True).start()

    def close(self) -> None:
        self.cut()
        if self._door:
            self._door.close()

    def cut(self) -> None:
        """Cut all connections; new ones end at once until it is mended."""
        self._is_whole = False
        while self._ends:
            with contextlib.suppress(OSError):
                self._ends.pop().shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_whole = True

    def swallow(self, commits: int = 1) -> None:
        """Let the database commit, and cut where it says so."""
        self._to_swallow = commits

    def _accept(self, door: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = door.accept()
                if not self._is_whole:
                    near.close()
                    continue
                far = socket.create_connection((self.database.host, self.database.port))
                self._ends += [near, far]
                for one, other, is_answer in ((near, far, False), (far, near, True)):
                    pump = threading.Thread(target=self._pump, args=(one, other, is_answer))
                    pump.daemon = True
                    pump.start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                # The tag of a finished COMMIT, as the server sends it.
                if is_answer and self._to_swallow and b"COMMIT\0" in data:
                    self._to_swallow -= 1
                    self.swallowed += 1
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass
class Cluster:
    """A PostgreSQL of the test's own, to be killed and hung with all its processes."""

    home: Path

    @classmethod
    def make(cls) -> Cluster:
        # Not below pytest's own directory, which the server's account may not enter.
        home = Path(tempfile.mkdtemp(prefix="tracker-cluster-"))
        home.chmod(0o755)
        return cls(home)

    def start(self) -> None:
        """Start it as a supervisor does: again, while something of the dead one is in the way."""
        until = time.monotonic() + 20.0
        while error := self._servers("start"):
            assert time.monotonic() < until, error
            time.sleep(0.2)

    def discard(self) -> None:
        self.thaw()
        self._servers("discard")
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def database(self) -> Database:
        url = urlsplit(self._known["DATABASE_URL"])
        assert url.hostname is not None, "our own servers have one"
        return Database(
            host=url.hostname,
            port=url.port or 5432,
            user=url.username or "",
            password=unquote(url.password or ""),
            name=url.path.strip("/"),
        )

    @property
    def as_admin(self) -> Database:
        """The same database, for whoever may change the server's settings."""
        password = self._known["POSTGRES_ADMIN_PASSWORD"]
        return replace(self.database, user="postgres", password=password)

    def copy_schema_of(self, original: Database) -> None:
        """Fill the empty database with the tables of another."""
        mine = self.database
        dump = subprocess.run(
            ["pg_dump", "--no-owner", "--no-comments", *_where(original)],
            env=os.environ | {"PGPASSWORD": original.password}, capture_output=True, check=True,
        )  # fmt: skip
        subprocess.run(
            ["psql", "--no-psqlrc", "--quiet", *_where(mine)],
            env=os.environ | {"PGPASSWORD": mine.password}, input=dump.stdout,
            capture_output=True, check=True,
        )  # fmt: skip

    def pids(self) -> list[int]:
        """Return the processes of the server, the first one first."""
        try:
            first = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return []
        return [first, *_children_of(first)]

    def kill(self) -> None:
        """Kill all processes at once; return when none is left."""
        # Ours would be a dead one afterwards.
        connection.close()
        killed = self.pids()
        _signal(killed, signal.SIGKILL)
        # Those that were born meanwhile end by themselves.
        eventually(lambda: not any(_is_alive(pid) for pid in killed))

    def freeze(self) -> None:
        _signal(self.pids(), signal.SIGSTOP)

    def thaw(self) -> None:
        _signal(self.pids(), signal.SIGCONT)

    @property
    def _known(self) -> dict[str, str]:
        text = (self.home / "env").read_text()
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    @property
    def _data(self) -> Path:
        return (self.home / "postgres").resolve() / "data"

    def _servers(self, verb: str) -> str:
        """Return what went wrong, if anything did."""
        kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        # No Redis is started where one is named.
        environment = kept | {"LOCAL_DIR": str(self.home), "REDIS_URL": "redis://127.0.0.1:1/0"}
        command = [sys.executable, str(ROOT / "deploy" / "local" / "servers"), verb]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.stderr or "it failed" if done.returncode else ""


def _where(database: Database) -> list[str]:
    place = ["--host", database.host, "--port", str(database.port)]
    return [*place, "--username", database.user, database.name]


def _children_of(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name in parentheses may hold anything; the parent is the second word after it.
            words = stat.read_text().rpartition(")")[2].split()
            if int(words[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


# A tracker gives up on an answer after this long, and this one does not repeat.
PATIENCE_S: Final = 5.0


@dataclass
class Sent:
    """What a sender noted of one uplink. No status where nobody answered."""

    at: datetime
    status: int | None

    @property
    def is_acknowledged(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class OpenLoop:
    """A sender that sends at its own pace, waits `PATIENCE_S` at most, and never sends again."""

    def __init__(self, sender: Sender, port: int, rate_per_s: float, since: datetime = MORNING):
        self.sent: list[Sent] = []
        self._sender, self._port, self._since = sender, port, since
        self._every_s = 1.0 / rate_per_s
        self._crowd = ThreadPoolExecutor(128)
        self._is_over = threading.Event()
        self._clock = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> OpenLoop:
        self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._clock.join()
        self._crowd.shutdown(wait=True)

    @property
    def acknowledged(self) -> list[datetime]:
        return [one.at for one in self.sent if one.is_acknowledged]

    def _run(self) -> None:
        started, number = time.monotonic(), 0
        while not self._is_over.is_set():
            number += 1
            self._crowd.submit(self._send, self._since + timedelta(seconds=number))
            time.sleep(max(0.0, started + number * self._every_s - time.monotonic()))

    def _send(self, at: datetime) -> None:
        status = None
        wire = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        headers = {"Content-Type": "application/json"}
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(wire):
            wire.request("POST", self._sender.path, json.dumps(self._sender.says(at)), headers)
            answer = wire.getresponse()
            answer.read()
            status = answer.status
        self.sent.append(Sent(at, status))
