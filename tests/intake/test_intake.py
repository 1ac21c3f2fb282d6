"""The promise to doors: a submitted uplink is answered once, when it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest
from msgspec import structs

from assets.device_registry import Origin
from assets.models import Source
from core.errors import Refused, TooOften, TrackerError, Unavailable, UnsupportedMediaType
from tests.builders import MORNING, NINE, TEN, device_on, make_source
from tests.ingest.senders import books, observation, owntracks, stored, waiting
from tests.intake.sqlite_log import SqliteLog
from tracker.intake.delivery_factory import DeliveryFactory
from tracker.intake.intake import Intake, IntakeLimits
from tracker.intake.intake_log import IntakeLog
from tracker.intake.quotas import Quota
from tracker.intake.recent_uplink_recorder import KeepRecentUplink
from tracker.road.delivery import Receipt
from tracker.road.road_memory import RoadMemory
from wire.registry import FORMATS
from wire.uplink import Uplink

pytestmark = pytest.mark.django_db(transaction=True)

PLENTY = IntakeLimits(
    waiting_observations=1000,
    waiting_bytes=1 << 20,
    commit_timeout_s=5.0,
    observations_per_device_and_minute=1000,
)
ENOUGH_S = 10.0

Outcome = Receipt | TrackerError
Done = TypeVar("Done")


@pytest.fixture
def log(tmp_path: Path) -> IntakeLog:
    return SqliteLog(tmp_path / "log", 1 << 20)


@pytest.fixture
def logger(north):
    """Return a source that sends our own JSON."""
    return make_source(north, "json", name="logger")[0]


def origin_of(source: Source) -> Origin:
    return Origin(organisation_id=source.organisation_id, source_id=source.pk)


def uplink(body: Any, content_type: str = "application/json") -> Uplink:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Uplink(received_at=MORNING, body=raw, content_type=content_type)


def submitted(
    log: IntakeLog,
    source: Source,
    uplinks: Sequence[Uplink],
    limits: IntakeLimits = PLENTY,
    keep_uplink: KeepRecentUplink = lambda _, __: None,
) -> list[Outcome]:
    """Submit uplinks to an intake of their own, and return the receipt or error of each."""

    async def all_answered(intake: Intake) -> list[Outcome]:
        futures = [_submit(intake, source, each) for each in uplinks]
        return list(await asyncio.gather(*futures))

    intake = Intake(RoadMemory(), log, limits, keep_uplink=keep_uplink)
    return asyncio.run(_while_it_runs(intake, all_answered))


def drained(log: IntakeLog, keep_uplink: KeepRecentUplink = lambda _, __: None) -> None:
    """Let an intake of its own run until nothing waits in the log."""

    async def nothing_waits(intake: Intake) -> None:
        while log.waiting_bytes():
            await asyncio.sleep(0.01)

    asyncio.run(
        _while_it_runs(Intake(RoadMemory(), log, PLENTY, keep_uplink=keep_uplink), nothing_waits)
    )


async def _while_it_runs(intake: Intake, deed: Callable[[Intake], Awaitable[Done]]) -> Done:
    await intake.start()
    try:
        return await asyncio.wait_for(deed(intake), ENOUGH_S)
    finally:
        await intake.stop()


def _submit(intake: Intake, source: Source, sent: Uplink) -> asyncio.Future[Outcome]:
    answered: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    try:
        intake.submit(sent, origin_of(source), FORMATS[source.wire_format], answered.set_result)
    except TrackerError as error:
        answered.set_result(error)
    return answered


def dispositions(outcomes: Sequence[Outcome]) -> list[Any]:
    return [
        each.outcomes[0].disposition if isinstance(each, Receipt) else type(each)
        for each in outcomes
    ]


def test_an_uplink_is_answered_when_it_is_stored(log, logger, van):
    identifier = device_on(van).identifier

    outcomes = submitted(log, logger, [uplink(observation(identifier, at)) for at in (NINE, TEN)])

    assert dispositions(outcomes) == ["stored", "stored"]
    assert [row.measured_at for row in stored(logger.organisation)] == [NINE, TEN]
    assert books(logger) == {"received": 2, "stored": 2}


def test_an_uplink_that_its_sender_must_correct_is_refused_at_once(log, logger, van):
    good = observation(device_on(van).identifier, NINE)

    outcomes = submitted(log, logger, [uplink(b"{"), uplink(good, "text/plain"), uplink(good)])

    assert isinstance(outcomes[0], Refused)
    assert isinstance(outcomes[1], UnsupportedMediaType)
    assert dispositions(outcomes[2:]) == ["stored"]


def test_an_unusable_uplink_of_a_lenient_sender_is_set_aside(log, north):
    phone, _ = make_source(north, "owntracks", name="phone")

    outcomes = submitted(log, phone, [uplink(b"{"), uplink(owntracks("stray", NINE))])

    assert dispositions(outcomes) == ["set-aside", "set-aside"]
    assert {row.reason for row in waiting(north)} == {"malformed-json", "unknown-device"}


def test_beyond_the_limit_of_waiting_observations_an_uplink_is_unavailable(log, logger, van):
    limits = structs.replace(PLENTY, waiting_observations=2)
    identifier = device_on(van).identifier
    both = [observation(identifier, at) for at in (NINE, TEN)]

    outcomes = submitted(log, logger, [uplink(both), uplink(both)], limits)

    assert dispositions(outcomes) == ["stored", Unavailable]


def test_a_device_has_a_quota_for_all_doors(log, logger, van):
    limits = structs.replace(PLENTY, observations_per_device_and_minute=1)
    identifier = device_on(van).identifier

    outcomes = submitted(
        log, logger, [uplink(observation(identifier, at)) for at in (NINE, TEN)], limits
    )

    assert dispositions(outcomes) == ["stored", TooOften]


def test_deliveries_in_the_log_are_stored_without_a_request(log, logger, van):
    memory = RoadMemory()
    memory.registry.refresh()
    factory = DeliveryFactory(memory.registry, Quota(10))
    early = uplink(observation(device_on(van).identifier, NINE))
    log.append([factory.make(early, origin_of(logger), FORMATS["json"])])

    drained(log)

    assert [row.measured_at for row in stored(logger.organisation)] == [NINE]
    assert books(logger) == {"received": 1, "stored": 1}
