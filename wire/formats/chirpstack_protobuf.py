"""ChirpStack's protobuf events as its JSON: the official messages, and protobuf's own mapping.

The mapping writes a 32-bit number as the shortest text of it, as ChirpStack does: 88.3 is
the same in both encodings of an event, so that either is a duplicate of the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import NULL_VALUE, Value

from core.errors import UnreadableUplink

_EVENTS: Final[dict[str, type[Message]]] = {
    "up": integration.UplinkEvent,
    "status": integration.StatusEvent,
    "join": integration.JoinEvent,
    "ack": integration.AckEvent,
    "txack": integration.TxAckEvent,
    "log": integration.LogEvent,
    "location": integration.LocationEvent,
}
# Other versions of ChirpStack send other events. All have the id, time and device of this one.
_OTHER: Final = integration.StatusEvent


def json_of_event(body: bytes, event: str) -> bytes:
    """Return an event in the JSON of ChirpStack. Raises UnreadableUplink for broken protobuf."""
    try:
        message = _EVENTS.get(event, _OTHER).FromString(body)
        _put_null_for_non_finite(getattr(message, "object", None))
        return json_format.MessageToJson(message, indent=None).encode()
    except (DecodeError, json_format.Error) as error:
        raise UnreadableUplink("not a protobuf event of ChirpStack.") from error


def _put_null_for_non_finite(struct: Any) -> None:
    """JSON has no word for NaN and infinity; ChirpStack writes null for what its codec made."""
    if struct is not None:
        _put_null(struct.fields.values())


def _put_null(values: Iterable[Value]) -> None:
    for value in values:
        kind = value.WhichOneof("kind")
        if kind == "number_value" and not math.isfinite(value.number_value):
            value.null_value = NULL_VALUE
        elif kind == "struct_value":
            _put_null(value.struct_value.fields.values())
        elif kind == "list_value":
            _put_null(value.list_value.values)
