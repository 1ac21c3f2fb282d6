"""Debian's nginx with the configuration that is shipped, in front of real web and ingest."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ingest.conftest import database, ingest_database
from tests.ingest.world import Database, Ingest, free_port, running
from tests.live.conftest import (
    Daphne,
    RedisServer,
    answers,
    eventually,
    own_redis,
    start_daphne,
    stop_daphne,
)

__all__ = ["database", "ingest_database", "own_redis"]

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "nginx"
NAME = "tracker.example"
PUBLIC_URL = f"https://{NAME}"
MAIN = """
{user} daemon off; pid {home}/nginx.pid; worker_processes 1; error_log {home}/main.log crit;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/f;
    uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
    include tracker.conf;
}}
"""


@dataclass
class Proxy:
    http_port: int
    https_port: int
    home: Path

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.home / "tracker.pem"))

    @property
    def log(self) -> str:
        """Everything that it has written anywhere."""
        return "".join(file.read_text() for file in sorted(self.home.glob("*.log")))


@pytest.fixture(scope="module")
def own_ingest(
    ingest_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ingest]:
    spool = tmp_path_factory.mktemp("proxied") / "spool"
    with running(Ingest(ingest_database.url, spool, {"INGEST_URL": PUBLIC_URL})) as made:
        yield made


@pytest.fixture(scope="module")
def own_web(
    ingest_database: Database, own_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Daphne]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("PUBLIC_URL", PUBLIC_URL)
        monkeypatch.setenv("ALLOWED_HOSTS", NAME)
        with (tmp_path_factory.mktemp("web") / "web.log").open("wb") as log:
            web = start_daphne(own_redis.url, log=log, database=ingest_database.name)
    yield web
    stop_daphne(web)


@pytest.fixture(scope="module")
def own_proxy(
    own_web: Daphne, own_ingest: Ingest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    made = Proxy(free_port(), free_port(), tmp_path_factory.mktemp("nginx"))
    process = started_nginx(made, own_web.port, own_ingest.port)
    yield made
    process.terminate()
    process.wait(10)


@pytest.fixture
def ingest(own_ingest: Ingest, database: Database) -> Ingest:
    """Return the ingest process behind the proxy; builders work on its database."""
    return own_ingest


@pytest.fixture
def proxy(own_proxy: Proxy, ingest: Ingest) -> Proxy:
    return own_proxy


def started_nginx(proxy: Proxy, web_port: int, ingest_port: int) -> subprocess.Popen[bytes]:
    make_certificate(proxy.home)
    # Started by root, its workers would be somebody who may not write into our folder.
    user = "user root;" if os.geteuid() == 0 else ""
    (proxy.home / "nginx.conf").write_text(MAIN.format(home=proxy.home, user=user))
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{web_port}",
        "127.0.0.1:8001": f"127.0.0.1:{ingest_port}",
        "listen 80": f"listen 127.0.0.1:{proxy.http_port}",
        "listen 443": f"listen 127.0.0.1:{proxy.https_port}",
        "/etc/ssl/private": str(proxy.home),
        "/etc/ssl": str(proxy.home),
        "/var/log/nginx": str(proxy.home),
    }
    for file in SHIPPED.glob("*.conf"):
        text = file.read_text()
        for shipped, ours in changes.items():
            text = text.replace(shipped, ours)
        (proxy.home / file.name).write_text(text)
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
    process = subprocess.Popen([nginx, "-p", str(proxy.home), "-c", "nginx.conf"])
    eventually(lambda: answers(proxy.https_port) or process.poll() is not None)
    assert process.poll() is None, "nginx does not take the configuration"
    return process


def make_certificate(home: Path) -> None:
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
            "-keyout", str(home / "tracker.key"), "-out", str(home / "tracker.pem"),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
