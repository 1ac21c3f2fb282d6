"""Codecs that are built in: from the bytes of a payload to named values, by model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wire.device_model import DeviceModel
from wire.payloads import cayenne
from wire.payloads.member_names import normal_name

# Takes the bytes and the port that they came on. Raises UnreadableUplink.
Codec = Callable[[bytes, int], Mapping[str, Any]]

# By name of the model without case and separators.
_BUILT_IN: dict[str, Codec] = {
    "cayennelpp": lambda data, f_port: cayenne.named_values(data),
}


def codec_of(model: DeviceModel | None) -> Codec | None:
    """Return the built-in codec for payloads of a model, or None."""
    return None if model is None else _BUILT_IN.get(normal_name(model.name))
