"""The model of a device, by which payloads are decoded that do not describe themselves."""

from __future__ import annotations

from msgspec import Struct


class FieldRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A member, by its path (`status.bat`) or its last name, and how to read it.

    `reading` is a canonical name, `custom.` and a name, or a part of the position; left out, the
    member keeps its own name. The number sent, times `scale`, plus `offset`, is in `unit`.
    """

    member: str
    reading: str = ""
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0


class DeviceModel(Struct, frozen=True):
    """A vendor's model, as people or network servers spell it, and what its users say of it.

    `fields` is their field map. The device's clock is `week_rounds` rounds of 1,024 weeks behind.
    """

    name: str
    vendor: str | None = None
    fields: tuple[FieldRule, ...] = ()
    week_rounds: int = 0
