"""The identifier of the device that sent an OwnTracks message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from core.observation import normal_identifier
from wire.quantities import text_of
from wire.uplink import Uplink

# Unique in the world by themselves: an IMEI, and the UUID of an iPhone.
_UNIQUE = re.compile(r"\d{15}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def device_of(root: Mapping[str, Any], uplink: Uplink) -> tuple[str | None, dict[str, Any]]:
    """Return the device's identifier, and the names in it for the notes.

    Precedence: topic, X-Limit-U and X-Limit-D, `?u=&d=`, the Basic user, `tid`. Two
    people may both call their device `phone`, so it is `user/phone` unless its name is
    unique in the world.
    """
    for user, device in _candidates(root, uplink):
        if device is not None:
            identifier = device if user is None or _UNIQUE.fullmatch(device) else f"{user}/{device}"
            notes = {"user": user, "device": device}
            return normal_identifier(identifier)[:128], {k: v for k, v in notes.items() if v}
    return None, {}


def _candidates(
    root: Mapping[str, Any], uplink: Uplink
) -> tuple[tuple[str | None, str | None], ...]:
    query = dict(parse_qsl(uplink.query))
    return (
        _names_in_topic(root.get("topic")),
        (text_of(uplink.headers.get("x-limit-u")), text_of(uplink.headers.get("x-limit-d"))),
        (text_of(query.get("u")), text_of(query.get("d"))),
        (None, text_of(uplink.user)),
        (None, text_of(root.get("tid"))),
    )


def _names_in_topic(topic: Any) -> tuple[str | None, str | None]:
    """Read `owntracks/<user>/<device>`, with or without more before it or `/event` behind."""
    parts = topic.strip("/").split("/") if isinstance(topic, str) else []
    start = parts.index("owntracks") if "owntracks" in parts else 0
    if len(parts) < start + 3:
        return None, None
    return text_of(parts[start + 1]), text_of(parts[start + 2])
