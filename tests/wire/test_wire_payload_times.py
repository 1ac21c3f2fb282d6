"""Times in decoded payloads: of the message, and of each entry of a list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.wire.uplinks import NOON, decoded, only, ttn_uplink, uplink
from wire.device_model import DeviceModel
from wire.payloads.field_rules import ModelRules
from wire.payloads.payload_reader import PayloadReading, read_payload
from wire.registry import FORMATS

PLACE = {"latitude": 52.1, "longitude": 4.3}
TEN = datetime(2026, 1, 5, 10, tzinfo=UTC)
TEN_S = int(TEN.timestamp())
ELEVEN_S = TEN_S + 3600


def read(payload: Any) -> PayloadReading:
    return read_payload(payload, now=NOON)


@pytest.mark.field("S-20")
def test_date_and_time_in_two_members_are_the_time_of_the_fix():
    sent = {"Latitude": 52.1, "Longitude": 4.3, "Date": "2025-11-5", "Time": "8:3:9"}

    found = decoded("ttn", ttn_uplink(sent))

    assert only(found).measured_at == datetime(2025, 11, 5, 8, 3, 9, tzinfo=UTC)
    assert only(found).time_source == "device"
    assert found.notes["guessed"]["Date"] == "no zone: taken as UTC"


@pytest.mark.field("S-22")
@pytest.mark.parametrize(
    "sent",
    [
        {"utcTime": "2026-01-05 10:00:00"},
        {"time_utc": "2026-01-05T10:00:00"},
        {"ts": TEN_S},
        {"ts": TEN_S * 1000},
        {"timestamp": str(TEN_S)},
        {"gpsTime": "2026-01-05T10:00:00Z"},
        {"header": {"timestamp": TEN_S}, "position": PLACE},
        {"position": PLACE | {"fixTime": TEN_S}, "time": "2026-01-05T11:00:00Z"},
        {"date": "01/05/2026, 10:00:00 AM"},
        {"date_and_time": {"value": "05.01.26 10:00", "unit": ""}},
        {"datetime": "5.1.2026 10:00:00"},
        {"timestamp": "2026/1/5 10:00:00 UTC"},
        {"time": "2026-01-05 10:00:00"},
        {
            "timestamp": {
                "year": 2026, "month": "January", "day": 5, "hours": 10, "minutes": 0, "seconds": 0,
            }
        },
    ],
)  # fmt: skip
def test_a_time_is_read_in_each_of_its_spellings(sent):
    assert read(sent | {"temperature": 20}).main.at == TEN


@pytest.mark.parametrize(
    "sent",
    [
        {"time": 300},
        {"uptime": TEN_S},
        {"lastTime": TEN_S},
        {"last": {"time": TEN_S}},
        {"config": {"timestamp": TEN_S}},
        {"time": "soon"},
        {"time": "2026-13-05 10:00:00"},
        {"time": "2026-01-05 25:00"},
        {"date": "2026-01-05"},
        {"date": "here", "time": "10:00"},
        {"time": "10:00:00"},
        {"time": [TEN_S]},
        {"almanacTimestamp": TEN_S},
        {"time": "1999-01-05T10:00:00Z"},
        {"time": "99999999999999999999"},
        # Without a zone it may be local, and must not be ahead.
        {"time": "2026-01-05 14:00:00"},
        {"timestamp": {"year": 2026, "month": 14, "day": 5, "hour": 1, "minute": 1, "second": 1}},
        {"timestamp": {"year": 2026, "month": 1, "day": 5, "hour": 1, "minute": 1, "zone": 1}},
        {"timestamp": {"year": 2026, "month": 1}},
    ],
)
def test_what_is_no_time_of_the_message_stays_a_reading(sent):
    found = read(sent)

    assert found.main.at is None
    assert found.main.readings


@pytest.mark.field("S-26")
@pytest.mark.parametrize(("weeks", "said"), [(1024, "1,024"), (2048, "2,048")])
def test_a_clock_a_thousand_weeks_behind_is_doubted(weeks, said):
    # 2,048 weeks before 2026 is before GNSS time proper, so the network hears it in 2040.
    now = NOON.replace(year=2040)
    sent = {"temperature": 5, "time": (now - timedelta(weeks=weeks, minutes=3)).isoformat()}

    found = read_payload(sent, now=now)

    assert found.main.at is None
    assert found.clock_doubt == f"{said} weeks behind: GPS week rollover"


@pytest.mark.field("S-26")
def test_a_model_whose_clock_is_behind_is_corrected():
    at = NOON - timedelta(weeks=1024, minutes=3)
    sent = ttn_uplink({"temperature": 5, "time": at.isoformat()})

    old = DeviceModel("old tracker", week_rounds=1)
    doubted = decoded("ttn", sent)
    corrected = FORMATS["ttn"].decode(uplink(sent), model_of=lambda _: old)

    assert (only(doubted).measured_at, only(doubted).time_source) == (NOON, "network")
    assert doubted.notes["clock_doubt"] == "1,024 weeks behind: GPS week rollover"
    assert only(corrected).measured_at == NOON - timedelta(minutes=3)


@pytest.mark.field("S-26")
def test_a_clock_that_was_mended_is_not_corrected_any_more():
    sent = {"temperature": 5, "time": TEN_S}

    found = read_payload(sent, [ModelRules(vendor="", week_rounds=1)], now=NOON)

    assert found.main.at == TEN


@pytest.mark.field("S-26")
def test_an_entry_of_a_clock_behind_has_no_time_of_its_own():
    behind = int((TEN - timedelta(weeks=1024)).timestamp())

    found = read({"history": [{"timestamp": behind, "temperature": 7}]})

    assert found.others == ()
    assert found.main.readings["air.temperature"] == 7


@pytest.mark.field("S-21")
def test_two_frames_of_two_times_are_two_fixes():
    frames = [
        [
            {"measurementId": "4197", "timestamp": second * 1000, "measurementValue": lon_deg},
            {"measurementId": "4198", "timestamp": second * 1000, "measurementValue": 52.1},
        ]
        for second, lon_deg in ((TEN_S, 4.25), (ELEVEN_S, 4.35))
    ]

    found = decoded("ttn", ttn_uplink({"messages": frames, "valid": True}))

    assert {(one.measured_at, one.fix.lon_deg) for one in found.observations if one.fix} == {
        (TEN, 4.25),
        (TEN + timedelta(hours=1), 4.35),
    }
    assert found.observations[0].readings["custom.valid"] is True
    assert len(found.observations) == 2


@pytest.mark.field("S-32")
@pytest.mark.parametrize(
    "entry", [{"temperature": 7.5}, {"latitude": 52.1, "longitude": 4.3}], ids=["reading", "fix"]
)
def test_entries_of_a_history_are_each_at_their_own_time(entry):
    history = [entry | {"timestamp": TEN_S}, entry | {"timestamp": ELEVEN_S}]

    found = decoded("ttn", ttn_uplink({"history": history}))

    assert sorted(one.measured_at for one in found.observations) == [TEN, TEN + timedelta(hours=1)]
    assert all(one.fix or "air.temperature" in one.readings for one in found.observations)


def test_a_history_beside_readings_of_now_leaves_them_their_time():
    found = read({"temperature": 9, "history": [{"timestamp": TEN_S, "temperature": 7}]})

    assert (found.main.at, found.main.readings) == (None, {"air.temperature": 9})
    assert [(one.at, one.readings) for one in found.others] == [(TEN, {"air.temperature": 7})]


def test_measurements_of_one_time_are_the_message_s_own():
    samples = [
        {"variable": "temperature", "value": 7, "unit": "Cel", "date": TEN.isoformat()},
        {"variable": "humidity", "value": 40, "unit": "%RH", "date": TEN.isoformat()},
    ]

    found = read({"battery": 90, "samples": samples})

    assert found.main.at == TEN
    assert found.main.readings == {
        "battery.level": 90, "air.temperature": 7, "air.humidity": 40,
    }  # fmt: skip


def test_a_probe_keeps_its_number_at_each_time():
    samples = [
        {"variable": "temperature_1", "value": 7, "date": "2026-01-05T10:00:00Z"},
        {"variable": "temperature_2", "value": 8, "date": "2026-01-05T11:00:00Z"},
    ]

    found = read({"samples": samples})

    assert found.main.readings == {"air.temperature.2": 8}
    assert found.others[0].readings == {"air.temperature.1": 7}


def test_an_entry_without_a_credible_time_is_part_of_the_message():
    found = read({"history": [{"timestamp": 7, "temperature": 7}]})

    assert found.others == ()
    assert found.main.readings == {"air.temperature": 7, "custom.history.0.timestamp": 7}


def test_what_a_message_says_beside_its_history_goes_with_the_newest_within_bounds():
    history = [{"timestamp": TEN_S, "temperature": 7}]
    sent = {f"n{place}": place for place in range(70)} | {"history": history}

    found = read(sent)

    assert (found.main.at, len(found.main.readings)) == (TEN, 64)
    assert found.main.readings["air.temperature"] == 7
    assert {member.fate for member in found.members} == {"canonical", "time", "custom", "dropped"}
