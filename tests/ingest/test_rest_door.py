"""`POST /api/v1/positions/`: the road by the front door, for people and integrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from geofence.actions import draw_geofence
from tests.builders import MORNING, NINE, TEN, device_on, make_member, make_organisation, make_van
from tests.conftest import Api
from tests.ingest.senders import observation, stored
from tests.road.scenes import kinds_of, square

POSITIONS = "/api/v1/positions/"
UNKNOWN = 987_654_321


@pytest.fixture
def otto(api: Api, operator: Any) -> Any:
    return api(operator)


@pytest.fixture
def tag(van: Any) -> str:
    """Return the identifier of the device on the van."""
    return str(device_on(van).identifier)


def post(client: Any, body: Any, **more: Any) -> Any:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    path = more.pop("path", POSITIONS)
    return client.generic("POST", path, raw, content_type="application/json", **more)


def batch(tag: str, count: int) -> list[dict[str, Any]]:
    return [observation(tag, MORNING + n * timedelta(seconds=1)) for n in range(count)]


def broken_off_at_positions(execute: Any, sql: Any, *more: Any) -> Any:
    if "positions_position" in str(sql):
        raise OperationalError("server closed the connection")
    return execute(sql, *more)


def test_one_observation_is_stored_and_shown(otto, north, tag):
    answer = post(otto, observation(tag, NINE, readings={"battery.level": 70}))

    assert answer.status_code == 200
    assert answer.json()["disposition"] == "stored"
    (row,) = otto.get(POSITIONS).json()["results"]
    assert (row["measured_at"][11:16], row["readings"]) == ("09:00", {"battery.level": 70})


def test_what_comes_by_this_door_is_judged_like_everything_else(otto, north, van, tag):
    draw_geofence(
        organisation=north, name="depot", shape=square(), valid_from=MORNING - timedelta(days=1)
    )

    post(otto, [observation(tag, NINE, lat=52.5), observation(tag, TEN)])

    assert kinds_of(van) == [("enter", TEN)]


@pytest.mark.fault("F-005")
def test_the_same_observation_again_is_a_duplicate(otto, north, tag):
    post(otto, observation(tag, NINE))

    again = post(otto, observation(tag, NINE))

    assert (again.status_code, again.json()["disposition"]) == (200, "duplicate")
    assert len(stored(north)) == 1


@pytest.mark.fault("F-004")
def test_an_event_id_with_other_content_is_refused(otto, north, tag):
    post(otto, observation(tag, NINE, event_id="trip-1"))

    answer = post(otto, observation(tag, TEN, event_id="trip-1"))

    assert (answer.status_code, answer.json()["code"]) == (422, "event-id-reused")
    assert answer.json()["errors"][0]["pointer"] == "/event_id"
    assert [row.measured_at for row in stored(north)] == [NINE]


@pytest.mark.fault("F-020")
def test_one_bad_fix_in_a_thousand_leaves_its_neighbours_alone(otto, north, tag):
    sent = batch(tag, 1000)
    sent[537]["lat"] = 91

    first, again = post(otto, sent), post(otto, sent)

    assert first.status_code == again.status_code == 200
    assert [first.json()[name] for name in ("stored", "refused")] == [999, 1]
    assert [again.json()[name] for name in ("duplicate", "refused")] == [999, 1]
    assert [each["pointer"] for each in first.json()["errors"]] == ["/537/lat"]
    assert first.json()["errors"] == again.json()["errors"]
    assert len(stored(north)) == 999


@pytest.mark.fault("F-021")
def test_a_batch_beyond_the_limit_is_refused_whole(otto, north, tag):
    answer = post(otto, batch(tag, 1001))

    assert (answer.status_code, answer.json()["code"]) == (413, "too-many-fixes")
    assert stored(north) == []


@pytest.mark.fault("F-022")
@pytest.mark.parametrize("body", [[], {"positions": []}])
def test_an_empty_batch_is_answered_with_zeros(body, otto, north):
    answer = post(otto, body)

    assert answer.status_code == 200
    assert {count for count in answer.json().values() if count != []} == {0}
    assert stored(north) == []


@pytest.mark.fault("F-023")
@pytest.mark.parametrize(
    "reserved",
    [{"organisation": 1}, {"asset": 1}, {"received_at": "2020-01-01T00:00:00Z"}, {"id": 5},
     {"is_late": True}, {"price": 0}],
)  # fmt: skip
def test_what_is_the_servers_to_say_is_ignored(reserved, otto, north, van, tag):
    answer = post(otto, observation(tag, NINE, **reserved))

    assert answer.json()["disposition"] == "stored"
    (row,) = otto.get(POSITIONS).json()["results"]
    assert (row["asset"], row["readings"]) == (van.pk, {})
    assert row["received_at"] > "2026"


@pytest.mark.fault("F-055")
@pytest.mark.parametrize(
    ("place", "pointer"),
    [({"lat": 90.000001}, "/lat"), ({"lon": -180.5}, "/lon"), ({"lat": 500, "lon": 500}, "/lat")],
)
def test_a_place_off_the_earth_is_refused(place, pointer, otto, north, tag):
    answer = post(otto, observation(tag, NINE, **place))

    assert (answer.status_code, answer.json()["code"]) == (422, "out-of-range")
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert stored(north) == []


@pytest.mark.fault("F-056")
@pytest.mark.parametrize("place", [{"lat": 90, "lon": 180}, {"lat": -90, "lon": -180}])
def test_the_ends_of_the_earth_are_on_it(place, otto, north, tag):
    assert post(otto, observation(tag, NINE, **place)).json()["disposition"] == "stored"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty-body"),
        (b'{"device": ', "malformed-json"),
        (b'{"device": "a", "lat": NaN}', "malformed-json"),
        (b'{"device": "a", "device": "b"}', "duplicate-key"),
        (b"[" * 100_000 + b"]" * 100_000, "json-too-deep"),
    ],
)
def test_this_door_reads_as_strictly_as_the_other(body, code, otto, north):
    answer = post(otto, body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_another_media_type_is_not_read(otto, tag):
    raw = orjson.dumps(observation(tag, NINE))

    answer = otto.generic("POST", POSITIONS, raw, content_type="text/plain")

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


@pytest.mark.fault("F-038")
def test_a_path_without_its_slash_is_unknown_and_no_redirect(otto, north, tag):
    answer = post(otto, observation(tag, NINE), path=POSITIONS.rstrip("/"))

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert "Location" not in answer.headers
    assert stored(north) == []


def test_a_packed_body_is_not_read_at_this_door(otto, north, tag):
    answer = post(otto, observation(tag, NINE), headers={"Content-Encoding": "gzip"})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_a_body_over_the_limit_is_refused(otto, north, settings):
    answer = post(otto, b" " * (settings.BODY_LIMIT_BYTES + 1))

    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


def test_an_unknown_device_is_refused_by_pointer(otto, north, tag):
    answer = post(otto, [observation(tag, NINE), observation("nobody", NINE)])

    assert (answer.status_code, answer.json()["refused"]) == (200, 1)
    (fault,) = answer.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/1/device", "not-found")


# --- who, and for whom -----------------------------------------------------------


def test_a_viewer_may_not_report(api, viewer, north, tag):
    answer = post(api(viewer), observation(tag, NINE))

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert stored(north) == []


def test_nobody_may_not_report(anonymous, north, tag):
    assert post(anonymous, observation(tag, NINE)).status_code == 401


@pytest.mark.law(7)
@pytest.mark.fault("F-099")
def test_a_foreign_organisation_is_answered_like_an_unknown_one(api, stranger, north, tag):
    client, sent = api(stranger), observation(tag, NINE)

    foreign = post(client, sent, path=f"{POSITIONS}?organisation={north.pk}")
    unknown = post(client, sent, path=f"{POSITIONS}?organisation={UNKNOWN}")

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() | {"instance": ""} == unknown.json() | {"instance": ""}


@pytest.mark.law(7)
def test_a_foreign_device_is_answered_like_an_unknown_one(api, stranger, north, tag):
    foreign = post(api(stranger), observation(tag, NINE))
    unknown = post(api(stranger), observation("nobody", NINE))

    assert foreign.json() | {"instance": ""} == unknown.json() | {"instance": ""}
    assert foreign.status_code == 422
    assert stored(north) == []


def test_a_member_of_two_organisations_names_one(api, north, operator, tag):
    other = make_organisation()
    other.memberships.create(user=operator, role="operator")

    unnamed = post(api(operator), observation(tag, NINE))
    named = post(api(operator), observation(tag, NINE), path=f"{POSITIONS}?organisation={north.pk}")

    assert (unnamed.status_code, unnamed.json()["code"]) == (400, "invalid-parameter")
    assert unnamed.json()["errors"][0]["pointer"] == "/query/organisation"
    assert named.json()["disposition"] == "stored"


def test_the_provider_names_the_organisation_always(api, dispatcher, north, tag):
    unnamed = post(api(dispatcher), observation(tag, NINE))
    named = post(
        api(dispatcher), observation(tag, NINE), path=f"{POSITIONS}?organisation={north.pk}"
    )

    assert unnamed.status_code == 400
    assert named.json()["disposition"] == "stored"


@pytest.mark.parametrize("name", ["x", "-1", "9" * 30])
def test_nonsense_is_no_organisation(name, otto, tag):
    answer = post(otto, observation(tag, NINE), path=f"{POSITIONS}?organisation={name}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")


# --- again, and not now ----------------------------------------------------------


def test_an_idempotency_key_repeats_the_receipt(otto, north, tag):
    sent = observation(tag, NINE)

    first = post(otto, sent, HTTP_IDEMPOTENCY_KEY="trip-1")
    again = post(otto, sent, HTTP_IDEMPOTENCY_KEY="trip-1")

    assert first.json() == again.json()
    assert again.json()["disposition"] == "stored"
    assert len(stored(north)) == 1


def test_a_database_that_cannot_store_is_a_503(otto, north, tag):
    with connection.execute_wrapper(broken_off_at_positions):
        answer = post(otto, observation(tag, NINE))

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer["Retry-After"]) > 0


def test_a_device_registered_a_moment_ago_is_known(otto, north, tag):
    post(otto, observation(tag, NINE))
    newcomer = make_van(north, "newcomer", "5ec2e7")

    answer = post(otto, observation("5ec2e7", TEN))

    assert answer.json()["disposition"] == "stored"
    assert stored(north)[-1].device_id == device_on(newcomer).pk


def test_a_report_takes_as_many_statements_whatever_its_length(otto, north, tag):
    # It rests already, so that neither report finds anything.
    for minutes in (0, 10):
        post(otto, observation(tag, MORNING - timedelta(days=1, minutes=minutes)))

    with CaptureQueriesContext(connection) as short:
        post(otto, observation(tag, MORNING))
    with CaptureQueriesContext(connection) as long:
        post(otto, batch(tag, 50)[1:])

    assert len(short) == len(long)


def test_an_owner_may_report(api, north, tag):
    assert post(api(make_member(north)), observation(tag, NINE)).status_code == 200
