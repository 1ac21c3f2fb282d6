"""ChirpStack's protobuf events, read into the same shape as its JSON.

The wire encoding is small enough to read without a schema compiler; the tables below
name the members that we use (api/proto/integration/integration.proto, gw.proto).
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from core.errors import UnreadableUplink
from wire.strict_json import MAX_DEPTH

_Schema = dict[int, tuple[str, Any]]

_PAIR: _Schema = {1: ("key", "text"), 2: ("value", "text")}
_LOCATION: _Schema = {
    1: ("latitude", "double"), 2: ("longitude", "double"), 3: ("altitude", "double"),
    4: ("source", "enum"), 5: ("accuracy", "float"),
}  # fmt: skip
_DEVICE_INFO: _Schema = {
    1: ("tenantId", "text"), 2: ("tenantName", "text"), 3: ("applicationId", "text"),
    4: ("applicationName", "text"), 5: ("deviceProfileId", "text"),
    6: ("deviceProfileName", "text"), 7: ("deviceName", "text"), 8: ("devEui", "text"),
    9: ("tags", "pairs"),
}  # fmt: skip
_RX_INFO: _Schema = {
    1: ("gatewayId", "text"), 2: ("uplinkId", "int"), 3: ("gwTime", "time"), 6: ("rssi", "int"),
    7: ("snr", "float"), 8: ("channel", "int"), 9: ("rfChain", "int"), 10: ("board", "int"),
    11: ("antenna", "int"), 12: ("location", _LOCATION), 15: ("metadata", "pairs"),
    17: ("nsTime", "time"),
}  # fmt: skip
_LORA: _Schema = {1: ("bandwidth", "int"), 2: ("spreadingFactor", "int")}
_TX_INFO: _Schema = {1: ("frequency", "int"), 2: ("modulation", {3: ("lora", _LORA)})}
_HEAD: _Schema = {
    1: ("deduplicationId", "text"), 2: ("time", "time"), 3: ("deviceInfo", _DEVICE_INFO),
}  # fmt: skip
_EVENTS: dict[str, _Schema] = {
    "up": _HEAD | {
        4: ("devAddr", "text"), 5: ("adr", "bool"), 6: ("dr", "int"), 7: ("fCnt", "int"),
        8: ("fPort", "int"), 9: ("confirmed", "bool"), 10: ("data", "bytes"),
        11: ("object", "struct"), 12: ("rxInfo", [_RX_INFO]), 13: ("txInfo", _TX_INFO),
    },
    "status": _HEAD | {
        5: ("margin", "int"), 6: ("externalPowerSource", "bool"),
        7: ("batteryLevelUnavailable", "bool"), 8: ("batteryLevel", "float"),
    },
    "join": _HEAD | {4: ("devAddr", "text")},
    "ack": _HEAD
    | {4: ("queueItemId", "text"), 5: ("acknowledged", "bool"), 6: ("fCntDown", "int")},
    "txack": {
        1: ("downlinkId", "int"), 2: ("time", "time"), 3: ("deviceInfo", _DEVICE_INFO),
        4: ("queueItemId", "text"), 5: ("fCntDown", "int"), 6: ("gatewayId", "text"),
    },
    "log": {
        1: ("time", "time"), 2: ("deviceInfo", _DEVICE_INFO), 3: ("level", "log level"),
        4: ("code", "log code"), 5: ("description", "text"), 6: ("context", "pairs"),
    },
    "location": _HEAD | {4: ("location", _LOCATION)},
    "integration": _HEAD | {
        4: ("integrationName", "text"), 5: ("eventType", "text"), 6: ("object", "struct"),
    },
}  # fmt: skip
_WORDS = {
    "log level": ("INFO", "WARNING", "ERROR"),
    "log code": (
        "UNKNOWN", "DOWNLINK_PAYLOAD_SIZE", "UPLINK_CODEC", "DOWNLINK_CODEC", "OTAA",
        "UPLINK_F_CNT_RESET", "UPLINK_MIC", "UPLINK_F_CNT_RETRANSMISSION", "DOWNLINK_GATEWAY",
        "RELAY_NEW_END_DEVICE", "F_CNT_DOWN", "EXPIRED",
    ),
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def json_of_event(body: bytes, event: str) -> dict[str, Any]:
    """Return an event as its JSON would be. Raises UnreadableUplink for broken protobuf."""
    try:
        return _message(body, _EVENTS.get(event, _HEAD))
    except (ValueError, IndexError, struct.error, OverflowError) as error:
        raise UnreadableUplink("not a protobuf event of ChirpStack.") from error


def _message(body: bytes, schema: _Schema) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, raw in _fields(body):
        if field not in schema:
            continue
        name, kind = schema[field]
        if isinstance(kind, list):
            found.setdefault(name, []).append(_message(_bytes(raw), kind[0]))
        elif kind == "pairs":
            pair = {"key": "", "value": ""} | _message(_bytes(raw), _PAIR)
            found.setdefault(name, {})[pair["key"]] = pair["value"]
        else:
            found[name] = _value(raw, kind)
    return found


def _value(raw: int | bytes, kind: Any) -> Any:
    if isinstance(kind, dict):
        return _message(_bytes(raw), kind)
    if kind in _WORDS:
        return _WORDS[kind][_int(raw)] if _int(raw) < len(_WORDS[kind]) else str(raw)
    return _SCALARS[kind](raw)


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        field, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            number, at = _varint(body, at)
            yield field, number
            continue
        size = {1: 8, 5: 4}.get(wire_type)
        if wire_type == 2:
            size, at = _varint(body, at)
        if size is None or at + size > len(body):
            raise ValueError("cut off, or no protobuf")
        yield field, body[at : at + size]
        at += size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        byte = body[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & 0xFFFF_FFFF_FFFF_FFFF, at
    raise ValueError("a number of more than ten bytes")


def _bytes(raw: int | bytes) -> bytes:
    if isinstance(raw, bytes):
        return raw
    raise ValueError("a number where bytes belong")


def _int(raw: int | bytes) -> int:
    if isinstance(raw, int):
        return raw - (1 << 64) if raw >> 63 else raw
    raise ValueError("bytes where a number belongs")


def _text(raw: int | bytes) -> str:
    text = _bytes(raw).decode("utf-8")
    if "\0" in text:
        raise ValueError("U+0000 cannot be stored")
    return text


def _time(raw: int | bytes) -> str:
    parts = _message(_bytes(raw), {1: ("s", "int"), 2: ("ns", "int")})
    since = timedelta(seconds=parts.get("s", 0), microseconds=parts.get("ns", 0) // 1000)
    return (_EPOCH + since).isoformat()


def _struct(raw: int | bytes, depth: int = 0) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    found: dict[str, Any] = {}
    for field, entry in _fields(_bytes(raw)):
        parts = dict(_fields(_bytes(entry)))
        if field == 1 and 1 in parts and 2 in parts:
            found[_text(parts[1])] = _struct_value(parts[2], depth)
    return found


def _struct_value(raw: int | bytes, depth: int) -> Any:
    for field, part in _fields(_bytes(raw)):
        if field == 5:
            return _struct(part, depth + 1)
        if field == 6:
            if depth > MAX_DEPTH:
                raise ValueError("nested too deeply")
            return [_struct_value(one, depth + 1) for _, one in _fields(_bytes(part))]
        kind = {2: "double", 3: "text", 4: "bool"}.get(field)
        return None if kind is None else _SCALARS[kind](part)
    return None


_SCALARS: dict[str, Any] = {
    "text": _text,
    "bytes": lambda raw: base64.b64encode(_bytes(raw)).decode(),
    "int": _int,
    "enum": _int,
    "bool": lambda raw: bool(_int(raw)),
    "float": lambda raw: round(struct.unpack("<f", _bytes(raw))[0], 6),
    "double": lambda raw: struct.unpack("<d", _bytes(raw))[0],
    "time": _time,
    "struct": _struct,
}
