"""One bad observation is refused alone, and counted: its neighbours are stored."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from assets.models import Device, Source
from core.rest.problem import MAX_FAULTS
from tests.builders import NINE, NOON, TEN, device_on, make_source, make_van
from tests.ingest.senders import arrive, books, observation, owntracks, stored, waiting
from tracker.ingest.replies import receipt_document, refusal_of
from uplinks.models import SetAside

UPLINKS = "/api/v1/uplinks/"
BAD_CHARACTERS = ("\u0007", "\u200b", "\u202e", "\n", "\u2028", "\u00a0")
BAD_IDENTIFIERS = ["x" * 101, "x" * 128, *(f"a{character}b" for character in BAD_CHARACTERS)]


@pytest.fixture
def registering(north: Organisation) -> Source:
    return make_source(north, unknown_devices=Source.UnknownDevices.REGISTER)[0]


@pytest.mark.field("H-3")
@pytest.mark.parametrize("identifier", BAD_IDENTIFIERS)
def test_an_identifier_that_no_device_can_have_is_refused_alone(
    north: Organisation, registering: Source, identifier: str
) -> None:
    sent = [observation("good-1", NINE), observation(identifier, TEN), observation("good-2", NOON)]

    receipt = arrive(registering, orjson.dumps(sent))

    assert [outcome.disposition for outcome in receipt.outcomes] == ["stored", "refused", "stored"]
    assert [fault.pointer for fault in receipt.outcomes[1].faults] == ["/1/device"]
    assert books(registering) == {"received": 3, "stored": 2, "refused": 1}
    assert Device.objects.filter(organisation=north).count() == 2


@pytest.mark.field("H-3")
@pytest.mark.parametrize(
    "query", ["id=a%07b", "id=a%E2%80%AEb", f"id={'x' * 101}", "id=7&speed=1e308"]
)
def test_a_bad_request_of_the_osmand_protocol_is_422(north: Organisation, query: str) -> None:
    source, _ = make_source(north, "osmand", unknown_devices=Source.UnknownDevices.REGISTER)

    receipt = arrive(source, b"", query=f"{query}&lat=52.1&lon=4.3")

    assert [outcome.disposition for outcome in receipt.outcomes] == ["refused"]
    assert books(source) == {"received": 1, "refused": 1}
    assert refusal_of(receipt.outcomes).faults


@pytest.mark.field("H-3")
def test_a_lenient_sender_has_it_set_aside(north: Organisation) -> None:
    source, _ = make_source(north, "owntracks", unknown_devices=Source.UnknownDevices.REGISTER)

    arrive(source, owntracks("phone\u202e", NINE))

    assert [kept.reason for kept in waiting(north)] == ["identifier-invalid"]


def break_state_of(device: Device) -> None:
    """Plant a state whose folds no release can read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE positions_assetstate SET judged = 'poison'::bytea WHERE asset_id IN"
            " (SELECT asset_id FROM assets_assignment WHERE device_id = %s)",
            [device.pk],
        )


@pytest.fixture
def poisoned(north: Organisation) -> Device:
    """Return a device whose asset has a state that cannot be read."""
    device = device_on(make_van(north, "poisoned", "fleet/poisoned"))
    source, _ = make_source(north)
    arrive(source, orjson.dumps(observation("fleet/poisoned", NINE)))
    break_state_of(device)
    return device


@pytest.mark.field("H-3", "H-4")
def test_a_poisoned_row_costs_its_own_observation_only(
    north: Organisation, poisoned: Device
) -> None:
    good = device_on(make_van(north, "good", "fleet/good"))
    source, _ = make_source(north, "traccar")
    forwarded = [
        {
            "position": {"fixTime": at.isoformat(), "latitude": 52.1, "longitude": 4.3},
            "device": {"uniqueId": identifier},
        }
        for identifier, at in (("fleet/poisoned", TEN), ("fleet/good", TEN))
    ]

    receipt = arrive(source, orjson.dumps(forwarded))

    assert [(o.disposition, o.code) for o in receipt.outcomes] == [
        ("set-aside", "unstorable"),
        ("stored", ""),
    ]
    assert [position.device_id for position in stored(north)[1:]] == [good.pk]
    assert books(source) == {"received": 2, "stored": 1, "set_aside": 1}


@pytest.mark.field("H-4")
def test_a_replay_of_what_is_still_unstorable_has_its_own_answer(
    north: Organisation, south: Organisation, dispatcher: User, poisoned: Device,
    api: Callable[[User], APIClient],
) -> None:  # fmt: skip
    source, _ = make_source(north, "owntracks")
    other, _ = make_source(south, "owntracks")
    arrive(source, owntracks("poisoned", TEN))
    arrive(other, owntracks("late", TEN))
    make_van(south, "late", "fleet/late")
    bad = SetAside.objects.get(source=source)
    client = api(dispatcher)

    alone = client.post(f"{UPLINKS}{bad.pk}/replay/")
    together = client.post(f"{UPLINKS}replay/").json()

    assert alone.status_code == 200
    assert (alone.json()["is_taken_up"], alone.json()["results"][0]["code"]) == (
        False,
        "unstorable",
    )
    assert (together["tried"], together["taken_up"]) == (2, 1)
    assert stored(south)
    assert books(source) == {"received": 1, "set_aside": 1}


@pytest.mark.field("H-12")
def test_an_answer_lists_a_hundred_faults_and_their_count(north: Organisation) -> None:
    source, _ = make_source(north)
    many = b'{"device":"7","measured_at":"2026-01-05T12:00:00Z","readings":{"n":[%s]}}'
    body = many % b",".join([b"1e999"] * 150_000)

    receipt = arrive(source, body)
    document = receipt_document(receipt)

    assert len(document["errors"]) == MAX_FAULTS
    assert document["error_count"] == 150_000
    assert refusal_of(receipt.outcomes).fault_count == 150_000


@pytest.mark.field("H-12")
def test_many_bad_observations_together_are_listed_up_to_a_hundred(north: Organisation) -> None:
    source, _ = make_source(north)
    body = orjson.dumps([{"device": "7", "lat": 91, "lon": 181} for _ in range(200)])

    document = receipt_document(arrive(source, body))

    assert len(document["errors"]) == MAX_FAULTS
    assert document["error_count"] == 600
