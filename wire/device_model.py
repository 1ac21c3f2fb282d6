"""The model of a device, by which payloads are decoded that do not describe themselves."""

from __future__ import annotations

from msgspec import Struct


class DeviceModel(Struct, frozen=True):
    """A vendor's model, as people or network servers spell it."""

    name: str
    vendor: str | None = None
