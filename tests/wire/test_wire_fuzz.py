"""Whatever arrives, a format answers with a meaning or with a refusal (F-026)."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Refused
from tests.wire.uplinks import (
    chirpstack_event,
    observation,
    owntracks_location,
    sdk_location,
    traccar_position,
    ttn_uplink,
)
from wire.registry import FORMATS, detect
from wire.samples import FORMAT_OF_FOLDER, uplink_of_sample
from wire.uplink import Decoded, Uplink

SAMPLES = Path(__file__).parents[2] / "fixtures" / "samples"
# 10,000 for the whole of F-026; few in a normal run.
EXAMPLES = int(os.environ.get("WIRE_FUZZ_EXAMPLES", "60"))
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
FEW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["2026-01-05T12:00:00Z", "1e999", "nan", "-1", "", "\0", "\ud800", 1767614400]),
)
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_TEMPLATES = {
    "json": observation(readings={"battery.level": 5}),
    "ttn": ttn_uplink(
        {"gps_0": {"latitude": 1, "longitude": 2}, "time": "x"},
        rx_metadata=[{"rssi": 1, "time": "2026-01-05T12:00:00Z", "location": {"latitude": 1}}],
        normalized_payload=[{"time": "2026-01-05T12:00:00Z", "air": {"temperature": 1}}],
        locations={"user": {"latitude": 1}, "frm-payload": {"latitude": 1}},
        settings={"data_rate": {"lora": {"spreading_factor": 7}}, "frequency": "868"},
        last_battery_percentage={"value": 5},
    ),
    "chirpstack": chirpstack_event(
        object={"gpsLocation": {"1": {"latitude": 1, "longitude": 2}}},
        rxInfo=[{"rssi": 1, "metadata": {"gateway_lat": "1", "gateway_long": "2"}}],
        txInfo={"modulation": {"lora": {"spreadingFactor": 7}}},
        data="qg==",
    ),
    "owntracks": owntracks_location(t="i", batt=5, inregions=["a"], odometer=1),
    "osmand": {
        "location": sdk_location(battery={"level": 1}, activity={"type": "x"}, extras={"a": 1}),
        "device_id": "7",
    },
    "traccar": traccar_position(attributes={"temp1": 1, "alarm": "sos"}),
}


def _meaning_or_refusal(format_name: str, sent: Uplink) -> None:
    detect(sent)
    try:
        found = FORMATS[format_name].decode(sent)
    except Refused:
        found = Decoded(message="refused")
    assert isinstance(found, Decoded)
    assert len(found.observations) == len(found.indexes)


def _golden() -> dict[str, list[Uplink]]:
    found: dict[str, list[Uplink]] = {}
    for index in sorted(SAMPLES.glob("*/index.json")):
        format_name = FORMAT_OF_FOLDER.get(index.parent.name)
        for entry in json.loads(index.read_bytes())["samples"] if format_name else ():
            content = (index.parent / entry["file"]).read_bytes()
            sent = uplink_of_sample(entry, {}, content, received_at=NOW)
            found.setdefault(str(format_name), []).append(sent)
    body = json.dumps(observation(readings={"a": 1})).encode()
    found["json"] = [Uplink(body=body, received_at=NOW)]
    return found


def _replaced(template: Any, value: Any, *, at: int) -> Any:
    """Return the JSON with one member, somewhere in it, replaced."""
    paths = list(_paths(template, ()))
    path = paths[at % len(paths)]
    copy = json.loads(json.dumps(template))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copy


def _paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in members:
        yield (*path, name)
        if isinstance(member, dict | list):
            yield from _paths(member, (*path, name))


@pytest.mark.fault("F-026")
@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_any_member_may_be_anything(format_name):
    captured = [json.loads(one.body) for one in _golden()[format_name] if one.body[:1] == b"{"]
    templates = st.sampled_from([_TEMPLATES[format_name], *captured])

    @FEW
    @given(templates, _values, st.integers(0, 500))
    def holds(template, value, at):
        body = json.dumps(_replaced(template, value, at=at)).encode()
        _meaning_or_refusal(format_name, Uplink(body=body, received_at=NOW))

    holds()


@pytest.mark.fault("F-026")
@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_a_body_and_a_query_may_be_anything(format_name):
    @FEW
    @given(st.binary(max_size=60), st.text(max_size=60))
    def holds(body, query):
        for content_type in (None, "application/json", "application/octet-stream"):
            sent = Uplink(body=body, query=query, content_type=content_type, received_at=NOW)
            _meaning_or_refusal(format_name, sent)

    holds()


@pytest.mark.fault("F-026")
@pytest.mark.parametrize("format_name", ["osmand", "traccar"])
def test_any_parameter_may_be_anything(format_name):
    names = st.sampled_from(
        ["id", "lat", "lon", "location", "timestamp", "speed", "cell", "wifi", "valid", "batt",
         "fixTime", "gprmc", "attributes", "latitude", "longitude", "x"]
    )  # fmt: skip
    values = st.one_of(
        st.text(alphabet='0123456789.,-+eE$GPRMCANSEW*%{}":T Z', max_size=30), st.text(max_size=8)
    )

    @FEW
    @given(st.lists(st.tuples(names, values), max_size=6))
    def holds(pairs):
        query = "&".join(f"{name}={value}" for name, value in pairs)
        _meaning_or_refusal(format_name, Uplink(query=query, received_at=NOW))

    holds()


def _mutated(raw: bytes, chance: random.Random) -> bytes:
    mutated = bytearray(raw)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(mutated) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            mutated[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del mutated[at : at + chance.randint(1, 12)]
        elif kind == 2:
            mutated[at:at] = chance.choice([b"null", b"1e999", b"-", b'"', b"{", b"\\u0000", b"[]"])
        else:
            start = chance.randrange(len(mutated) + 1)
            mutated[at:at] = mutated[start : start + chance.randint(1, 20)]
    return bytes(mutated)


@pytest.mark.fault("F-026")
@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_a_captured_message_may_arrive_mangled(format_name):
    chance = random.Random(format_name)
    golden = _golden()[format_name]
    for _ in range(max(EXAMPLES, 300)):
        sent = chance.choice(golden)
        mangled = Uplink(
            body=_mutated(sent.body, chance),
            query=_mutated(sent.query.encode(), chance).decode("utf-8", "replace"),
            content_type=sent.content_type,
            headers=sent.headers,
            received_at=NOW,
        )
        _meaning_or_refusal(format_name, mangled)
