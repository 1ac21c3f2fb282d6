"""What kind of device it is: by that a payload is read which does not explain itself."""

from __future__ import annotations

from msgspec import Struct


class DeviceModel(Struct, frozen=True):
    """A vendor's model, as people or network servers spell it."""

    name: str
    vendor: str | None = None
