"""Our own JSON: what is accepted, what is refused, and how precisely."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import TooLarge, UnreadableUplink
from tests.wire.uplinks import NOON, decoded, faults, observation, only, uplink
from wire.formats import own_json_diagnosis
from wire.registry import FORMATS


def test_an_observation_with_only_the_required_members_has_no_fix():
    found = only(decoded("json", observation(lat=None, lon=None)))

    assert (found.device, found.measured_at, found.fix) == ("0004a30b001c0530", NOON, None)


def test_every_member_arrives_in_its_unit():
    sent = observation(
        altitude_m=12, accuracy_m=5.5, speed_mps=3, course_deg=90, method="wifi", event_id="e-1"
    )

    found = only(decoded("json", sent))

    fix = found.fix
    assert (fix.lon_deg, fix.lat_deg, fix.altitude_m) == (4.3, 52.1, 12.0)
    assert (fix.accuracy_m, fix.speed_mps, fix.course_deg) == (5.5, 3.0, 90.0)
    assert (fix.method, found.event_id) == ("wifi", "e-1")


def test_a_device_may_be_a_number_and_is_normalised():
    assert only(decoded("json", observation(device=861001000719969))).device == "861001000719969"
    assert only(decoded("json", observation(device="00-04-A3-0B-00-1C-05-30"))).device == (
        "0004a30b001c0530"
    )


@pytest.mark.parametrize("wrap", [lambda many: many, lambda many: {"positions": many}])
def test_a_list_and_positions_are_batches(wrap):
    found = decoded("json", wrap([observation(), observation(device="other")]))

    assert found.indexes == (0, 1)
    assert [one.device for one in found.observations] == ["0004a30b001c0530", "other"]


def test_a_course_of_360_is_north():
    assert only(decoded("json", observation(course_deg=360))).fix.course_deg == 0.0


@pytest.mark.parametrize("zero", [0, 0.0, -0.0])
def test_exactly_0_0_is_no_fix_and_is_noted(zero):
    found = decoded("json", observation(lat=zero, lon=zero))

    assert only(found).fix is None
    assert found.notes == {"without_fix_at_0_0": [0]}


def test_known_readings_keep_their_names_and_others_are_custom():
    sent = observation(readings={"battery.level": 88, "air.temperature.2": -4.5, "spin": True})

    assert only(decoded("json", sent)).readings == {
        "battery.level": 88,
        "air.temperature.2": -4.5,
        "custom.spin": True,
    }


@pytest.mark.fault("F-006")
@pytest.mark.parametrize("body", [b"", b"  \r\n\t ", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n"])
def test_an_empty_body_is_called_empty(body):
    with pytest.raises(UnreadableUplink) as error:
        decoded("json", body)

    assert error.value.code == "empty-body"


@pytest.mark.fault("F-007")
def test_json_cut_off_names_the_place_and_does_not_echo_the_body():
    with pytest.raises(UnreadableUplink) as error:
        decoded("json", b'{"device": "secret-van", "lat": 5')

    assert error.value.code == "malformed-json"
    assert "column" in error.value.detail
    assert "secret" not in error.value.detail


@pytest.mark.fault("F-009")
@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_a_hundred_thousand_brackets_are_refused(format_name):
    body = b"[" * 100_000 + b"]" * 100_000

    with pytest.raises(UnreadableUplink) as error:
        decoded(format_name, body, content_type="application/json")

    assert error.value.code == "json-too-deep"


def test_depth_32_is_read_and_33_is_not():
    deep = b'{"device":' + b"[" * 31 + b"]" * 31 + b"}"
    deeper = b'{"device":' + b"[" * 32 + b"]" * 32 + b"}"

    assert faults(decoded("json", deep))[0] == ("/device", "not-an-identifier")
    with pytest.raises(UnreadableUplink, match="deeper"):
        decoded("json", deeper)


def test_brackets_inside_texts_are_not_depth():
    sent = observation(note="[" * 500 + '"\\' + "{" * 500)

    assert only(decoded("json", sent)).readings["custom.note"].startswith("[[")


@pytest.mark.fault("F-009")
def test_an_endless_text_of_quotes_is_refused():
    body = b'{"device":"' + b'\\"' * 120_000 + b"[" * 40

    with pytest.raises(UnreadableUplink):
        decoded("json", body)


@pytest.mark.fault("F-010")
@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_the_words_for_no_number_are_not_json(format_name, word):
    with pytest.raises(UnreadableUplink) as error:
        decoded(format_name, b'{"a":[' + word + b"]}")

    assert error.value.code == "malformed-json"


@pytest.mark.fault("F-011")
@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400])
def test_a_number_beyond_all_bounds_has_its_pointer(number):
    body = b'{"device":"a","measured_at":"2026-01-05T12:00:00Z","lat":%s,"lon":1}' % number.encode()

    assert faults(decoded("json", body)) == [("/lat", "out-of-range")]


@pytest.mark.fault("F-012")
def test_truth_values_are_no_coordinates():
    found = decoded("json", observation(lat=True, lon=False))

    assert faults(found) == [("/lat", "not-a-number"), ("/lon", "not-a-number")]
    assert found.observations == ()


@pytest.mark.fault("F-013")
@pytest.mark.parametrize("text", ["12.5", "1_0", "١٢", "", " 5"])
def test_a_number_as_text_is_refused(text):
    assert faults(decoded("json", observation(lat=text))) == [("/lat", "not-a-number")]


@pytest.mark.fault("F-014")
@pytest.mark.parametrize(
    "body",
    [
        b'{"device":"a","measured_at":"2026-01-05T12:00:00Z","lat":1,"lon":2,"lat":89}',
        b'{"device":"a","measured_at":"2026-01-05T12:00:00Z","lat" : 1,"lon":2,"lat":89}',
        b'[{"device":"a","measured_at":"2026-01-05T12:00:00Z","readings":{"x":1,"x":1}}]',
        b'{"device":"a","measured_at":"2026-01-05T12:00:00Z","l\\u0061t":1,"lat":1,"lon":1}',
        b'{"positions":[],"positions":[]}',
    ],
)
def test_the_same_member_twice_is_never_silently_the_last(body):
    with pytest.raises(UnreadableUplink) as error:
        decoded("json", body)

    assert error.value.code == "duplicate-key"


def test_a_reading_and_its_custom_name_are_the_same_member():
    sent = observation(readings={"spin": 1, "custom.spin": 2})

    assert faults(decoded("json", sent)) == [("/readings/custom.spin", "duplicate-key")]


@pytest.mark.fault("F-015")
@pytest.mark.parametrize("digits", [400, 4_000, 5_000, 200_000])
@pytest.mark.parametrize("member", ["device", "lat", "counter"])
def test_a_counter_of_thousands_of_digits_is_refused(digits, member):
    sent = json.dumps(observation(**{member: "N"})).replace('"N"', "7" * digits)

    found = decoded("json", sent.encode())

    assert [pointer for pointer, _ in faults(found)] == [f"/{member}"]


@pytest.mark.fault("F-016")
def test_a_nul_in_a_value_or_a_name_is_refused_where_it_is():
    found = decoded("json", observation(readings={"a\0b": 1, "c": "d\0"}))

    assert faults(found) == [
        ("/readings/a\ufffdb", "forbidden-character"),
        ("/readings/c", "forbidden-character"),
    ]


@pytest.mark.fault("F-016")
def test_a_lone_surrogate_is_refused_like_a_nul():
    body = b'{"device":"a","measured_at":"2026-01-05T12:00:00Z","note":"\\ud800"}'

    assert faults(decoded("json", body)) == [("/note", "forbidden-character")]


@pytest.mark.fault("F-017")
@pytest.mark.parametrize(
    "body",
    [
        b'{"device":"\xff\xfe"}',
        json.dumps(observation()).encode("utf-16"),
        json.dumps(observation()).encode("utf-16-le"),
        json.dumps(observation()).encode("utf-32"),
        b'{"device":"\xed\xa0\x80"}',
    ],
)
@pytest.mark.parametrize("format_name", ["json", "ttn", "chirpstack", "owntracks"])
def test_what_is_not_utf_8_is_malformed(format_name, body):
    with pytest.raises(UnreadableUplink) as error:
        decoded(format_name, body)

    assert error.value.code in ("malformed-json", "json-too-deep")


@pytest.mark.fault("F-017")
def test_a_byte_order_mark_is_stripped():
    body = b"\xef\xbb\xbf" + json.dumps(observation()).encode()

    assert only(decoded("json", body)).device == "0004a30b001c0530"


@pytest.mark.fault("F-020")
def test_one_wrong_observation_of_a_thousand_leaves_its_neighbours_alone():
    batch = [observation(device=f"van-{i}") for i in range(1_000)]
    batch[537]["lat"] = 91

    found = decoded("json", batch)

    assert faults(found) == [("/537/lat", "out-of-range")]
    assert [refusal.index for refusal in found.refusals] == [537]
    assert found.indexes == tuple(i for i in range(1_000) if i != 537)


@pytest.mark.fault("F-021")
@pytest.mark.parametrize("wrap", [lambda many: many, lambda many: {"positions": many}])
def test_a_batch_of_1001_is_too_large(wrap):
    with pytest.raises(TooLarge) as error:
        decoded("json", wrap([observation()] * 1_001))

    assert error.value.code == "too-many-fixes"


@pytest.mark.fault("F-022")
@pytest.mark.parametrize("body", [b"[]", b'{"positions":[]}', b" [ ] "])
def test_an_empty_batch_is_fine_and_means_nothing(body):
    found = decoded("json", body)

    assert (found.observations, found.refusals) == ((), ())


@pytest.mark.fault("F-023")
def test_the_servers_own_words_are_ignored():
    sent = observation(
        organisation=1, asset="x", received_at="2020-01-01", id=9, is_late=True, price=0
    )

    assert only(decoded("json", sent)).readings == {}


@pytest.mark.fault("F-024")
def test_unknown_members_are_kept_as_sent():
    sent = observation(rpm=933, ok=True, driver="Ada", nothing=None, ratio=0.5)
    sent["nothing"] = None

    assert only(decoded("json", sent)).readings == {
        "custom.rpm": 933,
        "custom.ok": True,
        "custom.driver": "Ada",
        "custom.ratio": 0.5,
    }


@pytest.mark.fault("F-025")
@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "{{7*7}}", "${7*7}", "%n%s"]
)
def test_a_text_is_kept_letter_by_letter(text):
    assert only(decoded("json", observation(label=text))).readings == {"custom.label": text}


@pytest.mark.parametrize(
    ("sent", "pointer", "code"),
    [
        ({"readings": {f"n{i}": i for i in range(65)}}, "/readings", "too-many-attributes"),
        ({"readings": {"n" * 65: 1}}, "/readings/" + "n" * 65, "too-long"),
        ({"readings": {"n": "x" * 4_097}}, "/readings/n", "too-long"),
        ({"readings": {"n": [1]}}, "/readings/n", "not-a-reading"),
        ({"readings": [1]}, "/readings", "not-an-object"),
        ({"device": True}, "/device", "not-an-identifier"),
        ({"device": "  "}, "/device", "missing"),
        ({"device": "x" * 129}, "/device", "too-long"),
        ({"device": None}, "/device", "missing"),
        ({"measured_at": None}, "/measured_at", "missing"),
        ({"lat": None}, "/lat", "missing"),
        ({"lon": None}, "/lon", "missing"),
        ({"accuracy_m": -1}, "/accuracy_m", "out-of-range"),
        ({"speed_mps": -1}, "/speed_mps", "out-of-range"),
        ({"course_deg": 361}, "/course_deg", "out-of-range"),
        ({"method": "guess"}, "/method", "unknown-method"),
        ({"event_id": 7}, "/event_id", "not-an-identifier"),
        ({"a/b~c": [1]}, "/a~1b~0c", "not-a-reading"),
        ({"readings": {"pulses": 2**63}}, "/readings/pulses", "out-of-range"),
    ],
)
def test_each_fault_has_its_pointer_and_code(sent, pointer, code):
    assert faults(decoded("json", observation(**sent))) == [(pointer, code)]


def test_all_faults_of_an_observation_are_told_at_once():
    sent = observation(lat=91, lon="4", measured_at="noon")

    assert faults(decoded("json", sent)) == [
        ("/measured_at", "not-a-time"),
        ("/lat", "out-of-range"),
        ("/lon", "not-a-number"),
    ]


@pytest.mark.parametrize("body", [b"5", b'"x"', b"null", b"true"])
def test_json_that_is_no_object_is_unreadable(body):
    with pytest.raises(UnreadableUplink):
        decoded("json", body)


def test_an_item_that_is_no_object_is_refused_alone():
    found = decoded("json", [observation(), 5])

    assert faults(found) == [("/1", "not-an-object")]
    assert found.indexes == (0,)


@pytest.mark.fault("F-042", "F-043", "F-044", "F-045")
@pytest.mark.parametrize(
    "text",
    [
        "1970-01-01T00:00:00Z",
        "1980-01-06T00:00:00Z",
        "2041-09-08T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_a_doubtful_time_is_stored_as_sent(text):
    found = only(decoded("json", observation(measured_at=text)))

    assert found.measured_at == datetime.fromisoformat(text)


@pytest.mark.fault("F-044")
@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
def test_a_time_outside_of_all_calendars_is_refused(text):
    assert faults(decoded("json", observation(measured_at=text))) == [
        ("/measured_at", "not-a-time")
    ]


@pytest.mark.fault("F-046")
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("2026-01-05T12:00:00", "time-without-zone"),
        ("2026-01-05 12:00:00.5", "time-without-zone"),
        ("2026-01-05", "not-a-time"),
        ("12:00", "not-a-time"),
        ("2026-02-30T00:00:00Z", "not-a-time"),
    ],
)
def test_a_time_needs_a_date_a_clock_and_a_zone(sent, code):
    assert faults(decoded("json", observation(measured_at=sent))) == [("/measured_at", code)]


@pytest.mark.fault("F-047")
@pytest.mark.parametrize("count", [1767614400, 1767614400000, 1767614400000000, 1e300])
def test_our_own_json_takes_no_counts_for_times(count):
    assert faults(decoded("json", observation(measured_at=count))) == [
        ("/measured_at", "not-a-time")
    ]


@pytest.mark.fault("F-048")
@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-05T17:45:00+05:45", NOON),
        ("2026-01-05T12:00:00-00:00", NOON),
        ("2026-01-05T12:00:00Z", NOON),
        ("2026-01-06T02:00:00+14:00", NOON),
        ("2026-01-05T12:00:00.123456789Z", NOON + timedelta(microseconds=123_456)),
    ],
)
def test_an_offset_gives_the_right_instant(text, instant):
    found = only(decoded("json", observation(measured_at=text)))

    assert abs(found.measured_at - instant) <= timedelta(microseconds=1)
    assert found.measured_at.tzinfo is UTC


@pytest.mark.fault("F-048")
@pytest.mark.parametrize("offset", ["+25:00", "-24:00", "+05:60", "+1", "CET"])
def test_an_offset_that_is_none_is_refused(offset):
    sent = observation(measured_at=f"2026-01-05T12:00:00{offset}")

    assert faults(decoded("json", sent)) == [("/measured_at", "not-a-time")]


@pytest.mark.fault("F-055")
@pytest.mark.parametrize(
    ("place", "pointers"),
    [
        ({"lat": 90.000001}, ["/lat"]),
        ({"lon": -180.5}, ["/lon"]),
        ({"lat": 500, "lon": 500}, ["/lat", "/lon"]),
    ],
)
def test_a_place_off_the_earth_is_refused(place, pointers):
    assert faults(decoded("json", observation(**place))) == [(p, "out-of-range") for p in pointers]


@pytest.mark.fault("F-056")
@pytest.mark.parametrize(("lat", "lon"), [(90, 180), (-90, -180), (-0.0, 5), (5, -0.0)])
def test_the_edges_of_the_earth_are_on_it(lat, lon):
    fix = only(decoded("json", observation(lat=lat, lon=lon))).fix

    assert (fix.lat_deg, fix.lon_deg) == (lat, lon)


_numbers = st.one_of(st.none(), st.booleans(), st.integers(-400, 400), st.floats(-400, 400))
_sent = st.fixed_dictionaries(
    {"device": st.sampled_from(["van", "", 7, None, True])},
    optional={
        "measured_at": st.sampled_from(["2026-01-05T12:00:00Z", "2026-01-05T12:00:00", 5]),
        "lat": _numbers,
        "lon": _numbers,
        "accuracy_m": _numbers,
        "course_deg": _numbers,
        "readings": st.dictionaries(st.text(max_size=4), st.one_of(_numbers, st.text(max_size=3))),
        "extra": st.text(max_size=3),
        "method": st.sampled_from(["gnss", "cell", "x"]),
    },
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_sent, max_size=3))
def test_the_quick_and_the_diagnosing_path_speak_one_language(batch):
    body = json.dumps(batch, separators=(",", ":"), ensure_ascii=False).encode()

    quick, slow = FORMATS["json"].decode(uplink(body)), own_json_diagnosis.decode(body)

    assert (quick.observations, quick.indexes) == (slow.observations, slow.indexes)
    assert quick.refusals == slow.refusals


@pytest.mark.parametrize("more", [{}, {"note": 'the "old" van'}, {"rpm": 900}])
def test_an_event_id_is_kept_whatever_stands_beside_it(more):
    found = only(decoded("json", observation(event_id="7f3a", **more)))

    assert found.event_id == "7f3a"
