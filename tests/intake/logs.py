"""The adapters of the intake log that must keep its promises, and a process that may be killed."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.errors import Unavailable
from core.observation import Observation
from tests.intake.sqlite_log import SqliteLog
from tracker.intake.intake_log import IntakeLog
from tracker.intake.spool import QUARANTINED, WAITING, Spool
from tracker.road.delivery import Delivery
from wire.uplink import Uplink

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
PLENTY = 1 << 24


def delivery(number: int, *, observations: int = 1) -> Delivery:
    """Return a delivery that differs from that of any other number."""
    at = NOON + timedelta(seconds=number)
    observed = [
        Observation(device=f"van-{number}", measured_at=at + timedelta(milliseconds=place))
        for place in range(observations)
    ]
    return Delivery(
        organisation_id=1,
        source_id=number,
        received_at=at,
        observations=tuple(observed),
        indexes=tuple(range(observations)),
        uplink=Uplink(received_at=at, body=b"\0\xff" * 20, headers={"user-agent": "van"}),
    )


def numbers(deliveries: Iterable[Delivery]) -> list[int]:
    """Return the numbers by which the deliveries differ."""
    return [one.source_id for one in deliveries if one.source_id is not None]


@dataclass(frozen=True)
class Adapter:
    """Opens a log, damages its second record, and reads its quarantined records."""

    name: str
    open: Callable[[Path, int], IntakeLog]
    damage: Callable[[Path], None]
    quarantined: Callable[[Path], list[bytes]]

    def __str__(self) -> str:
        return self.name


def _damage_spool(folder: Path) -> None:
    (file,) = folder.glob(f"*{WAITING}")
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    file.write_bytes(raw)


def _quarantined_by_spool(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.glob(f"*{QUARANTINED}")]


def _damage_sqlite(folder: Path) -> None:
    with sqlite3.connect(folder / "log.sqlite") as database:
        database.execute("UPDATE record SET content = substr(content, 1, 20) WHERE id = 2")


def _quarantined_by_sqlite(folder: Path) -> list[bytes]:
    with sqlite3.connect(folder / "log.sqlite") as database:
        return [content for (content,) in database.execute("SELECT content FROM quarantined")]


ADAPTERS = {
    one.name: one
    for one in (
        Adapter("spool", Spool, _damage_spool, _quarantined_by_spool),
        Adapter("sqlite", SqliteLog, _damage_sqlite, _quarantined_by_sqlite),
    )
}


# --- the process ---------------------------------------------------------------


def process(adapter: Adapter, folder: Path, deed: str) -> subprocess.Popen[str]:
    """Start a process that does a deed of this module to a log, and then waits to be killed."""
    command = [sys.executable, "-m", "tests.intake.logs", adapter.name, str(folder), deed]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def said(other: subprocess.Popen[str]) -> int:
    """Wait until a process has said a number; before that it may have logged."""
    assert other.stdout is not None, "it was asked for"
    return next(int(line) for line in other.stdout if line.strip().isdigit())


def append_three(log: IntakeLog) -> None:
    for number in range(3):
        log.append([delivery(number)])
    _say("3")


def take_two_of_three(log: IntakeLog) -> None:
    append_three(log)
    batch = log.take(2)
    assert batch is not None, "three wait"
    _say(str(len(batch.deliveries)))


def fill_a_small_disk(log: IntakeLog) -> None:
    """Append until no file may grow any more, and say how many were acknowledged."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
    acknowledged = refused = 0
    while refused < 3:
        try:
            log.append([delivery(acknowledged)])
            acknowledged += 1
        except Unavailable:
            refused += 1
    _say(str(acknowledged))


def _say(word: str) -> None:
    print(word, flush=True)  # noqa: T201


if __name__ == "__main__":
    _, name, place, deed = sys.argv
    log = ADAPTERS[name].open(Path(place), PLENTY)
    {one.__name__: one for one in (append_three, take_two_of_three, fill_a_small_disk)}[deed](log)
    time.sleep(60)
