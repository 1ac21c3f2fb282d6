"""The server as it is run: each process by its own command, over a database of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from tests.ingest.world import ROOT, Database, Ingest, eventually, free_port, running
from tests.outbox.mail_server import MailServer, serve

PYTHON = sys.executable
STARTS_WITHIN_S = 60.0
DRIVE_FILE = ROOT / "fixtures" / "tracks" / "car-drive.json"
TTN_SAMPLES = ROOT / "fixtures" / "samples" / "ttn"

LonLat = tuple[float, float]


@dataclass(repr=False)
class Program:
    """A process that can be ended and started again."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    port: int | None = None
    process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start without waiting."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def start(self) -> None:
        self.launch()
        self.wait()

    def wait(self) -> None:
        eventually(self.is_up, STARTS_WITHIN_S, f"{self.log.stem} did not start")

    def is_up(self) -> bool:
        assert self.process is not None, "it was started"
        ended = self.process.poll() is not None
        assert not ended, f"{self.log.stem} ended by itself: {self.log.read_text()[-2000:]}"
        return self.port is None or _answers(self.port)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            self.kill()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


# No test that fails may print the secrets.
@dataclass(frozen=True, repr=False)
class Server:
    """Everything that runs, and the secrets that `manage.py bootstrap --json` printed."""

    url: str
    made: dict[str, Any]
    web: Program
    ingest: Ingest
    mail: MailServer
    database: Database

    # --- REST, with the token of bootstrap ---------------------------------------------

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Token {self.made['token']}"}
        headers["Content-Type"] = "application/json"
        status, answer = _ask(self.url, method, f"/api/v1/{path}", json.dumps(body), headers)
        assert status in (200, 201, 204), (status, answer)
        return json.loads(answer) if answer else None

    def add_asset(self, name: str, identifier: str, *, since: datetime, **more: Any) -> int:
        """Register an asset with a device on it; return the asset's id."""
        organisation = self.made["organisation"]["id"]
        asset = self.rest("POST", "assets/", {"organisation": organisation, "name": name, **more})
        device = self.rest(
            "POST", "devices/", {"organisation": organisation, "identifier": identifier}
        )
        carries = {"device": device["id"], "asset": asset["id"], "since": since.isoformat()}
        self.rest("POST", "assignments/", carries)
        return int(asset["id"])

    # --- senders -----------------------------------------------------------------------

    def post(self, wire_format: str, body: bytes, content_type: str) -> int:
        """Send an uplink to the source of a format; return the status of the answer."""
        path = urlsplit(self.made["sources"][wire_format]["url"]).path
        base = f"http://127.0.0.1:{self.ingest.port}"
        status, _ = _ask(base, "POST", path, body, {"Content-Type": content_type})
        return status

    def post_osmand(self, device: str, at: datetime, lonlat_deg: LonLat, **more: Any) -> None:
        lon_deg, lat_deg = lonlat_deg
        given = {"id": device, "lat": lat_deg, "lon": lon_deg, **more}
        given["timestamp"] = int(at.timestamp() * 1000)
        status = self.post("osmand", urlencode(given).encode(), "application/x-www-form-urlencoded")
        assert status == 200, status


def _ask(
    url: str, method: str, path: str, body: bytes | str, headers: dict[str, str]
) -> tuple[int, bytes]:
    wire = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    with contextlib.closing(wire):
        wire.request(method, path, body, headers)
        answer = wire.getresponse()
        return answer.status, answer.read()


@dataclass(frozen=True, repr=False)
class _Programs:
    """What runs beside ingest; `stack` ends all of it."""

    environment: dict[str, str]
    folder: Path
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def launch(self, name: str, command: list[str], port: int | None = None) -> Program:
        program = Program(command, self.environment, self.folder / f"{name}.log", port)
        self.stack.callback(program.stop)
        program.launch()
        return program


@contextlib.contextmanager
def serving(database: Database, folder: Path) -> Iterator[Server]:
    """Run web, ingest, a worker, Redis and a mail server over `database`."""
    handler = MailServer()
    controller = serve(handler)
    ports = {name: free_port() for name in ("web", "ingest", "redis")}
    url = f"http://127.0.0.1:{ports['web']}"
    environment = os.environ | {
        "DATABASE_URL": database.url,
        "REDIS_URL": f"redis://127.0.0.1:{ports['redis']}/0",
        "EMAIL_URL": f"smtp://127.0.0.1:{controller.port}",
        "PUBLIC_URL": url,
        "INGEST_URL": f"http://127.0.0.1:{ports['ingest']}",
        "SECRET_KEY": settings.SECRET_KEY,
        "TOKEN_KEY": settings.TOKEN_KEY,
        "LOG_LEVEL": "WARNING",
    }
    programs = _Programs(environment, folder)
    with programs.stack:
        programs.stack.callback(controller.stop)
        programs.launch("redis", _redis(ports["redis"]), ports["redis"]).wait()
        web = programs.launch("web", _daphne(ports["web"]), ports["web"])
        programs.launch("worker", _worker())
        made = json.loads(_manage(environment, "bootstrap", "--json"))
        ingest = Ingest(database.url, folder / "spool", environment, ports["ingest"])
        with running(ingest):
            web.wait()
            yield Server(url, made, web, ingest, handler, database)


def _redis(port: int) -> list[str]:
    return [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        "/tmp",
    ]


def _daphne(port: int) -> list[str]:
    return [
        *(PYTHON, "-m", "daphne", "--bind", "127.0.0.1", "--port", str(port), "--verbosity", "0"),
        *("--websocket-max-message-size", "65536", "--websocket-max-frame-size", "65536"),
        *("--ping-interval", "20", "--ping-timeout", "20", "tracker.asgi:application"),
    ]


def _worker() -> list[str]:
    return [
        *(PYTHON, "-m", "celery", "--app", "tracker.celery"),
        *("worker", "--pool", "solo", "--loglevel", "WARNING"),
    ]


def _manage(environment: dict[str, str], *arguments: str) -> str:
    command = [PYTHON, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, text=True, stdout=subprocess.PIPE
    )
    assert done.returncode == 0, f"manage.py {arguments[0]} failed"
    return done.stdout


def recorded_drive() -> list[LonLat]:
    rows = json.loads(DRIVE_FILE.read_text())["rows"]
    return [(row[0], row[1]) for row in rows]
