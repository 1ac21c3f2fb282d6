"""`make demo` starts, keeps going, ends without leaving anything, and starts again."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.house.demo import Demo, own_demo
from tests.ingest.world import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shared_demo() -> Iterator[Demo]:
    with own_demo() as made:
        yield made


@pytest.fixture
def demo(shared_demo: Demo) -> Demo:
    """Return a demo that runs: started anew where a test has ended it."""
    if not shared_demo.is_running:
        shared_demo.start()
    return shared_demo


def says_disposition(demo: Demo) -> str:
    """Run the line that the demo prints."""
    line = f"{demo.curl} --silent"
    done = subprocess.run(line, shell=True, check=True, capture_output=True, text=True)
    return str(json.loads(done.stdout)["disposition"])


def is_open(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname, parts.port)) == 0


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_a_part_that_is_killed_is_started_again(demo: Demo) -> None:
    (web,) = demo.pids_of("daphne")

    kill(web)

    eventually(lambda: "web | ended with -9: starting it again" in demo.log, 10)
    eventually(lambda: is_open(demo.url), 60, "web did not come back")
    assert says_disposition(demo) == "stored"


def test_the_next_demo_recovers_from_the_death_of_everything(demo: Demo) -> None:
    kill(*demo.processes())
    eventually(lambda: not demo.processes(), 30)
    # The machine went down, and its numbers were given to others.
    pid_file = demo.home / "postgres" / "data" / "postmaster.pid"
    left = pid_file.read_text().split("\n", 1)
    pid_file.write_text(f"{os.getpid()}\n{left[1]}")

    demo.start()

    assert says_disposition(demo) in ("stored", "duplicate")


def test_two_demos_run_side_by_side(demo: Demo) -> None:
    with own_demo() as other:
        other.start()

        ports = [re.findall(r"127\.0\.0\.1:(\d+)", each.curl + each.url) for each in (demo, other)]
        assert len({*ports[0], *ports[1]}) == 4
        assert [says_disposition(each) for each in (demo, other)] == ["stored", "stored"]


def test_the_printed_line_works_and_an_interrupt_leaves_nothing_behind(demo: Demo) -> None:
    stored = says_disposition(demo)
    told = json.loads((demo.home / "demo.json").read_text())

    status = demo.interrupt()

    assert stored == "stored"
    assert told["sources"]["osmand"]["token"] in demo.curl
    assert status == 0
    assert demo.processes() == {}
    assert "Traceback" not in demo.log
