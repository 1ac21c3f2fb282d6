"""What the doors hand to the road, and what they get back: plain values that can be spooled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from core.errors import Fault
from core.observation import Observation
from wire.uplink import Refusal, Uplink

Disposition = Literal["stored", "duplicate", "set-aside", "refused", "spooled"]


class Noted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be kept of an uplink for people to look at, beside its observations."""

    wire_format: str
    message: str
    size: int
    devices: tuple[str, ...] = ()
    notes: dict[str, Any] = {}


class Delivery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The observations of one uplink, from a source whose token was good.

    `source_id` is None for the REST door, where a person's token was. `device_id` is set
    where the token speaks for one device only. `is_lenient` senders are never refused what
    they sent. `uplink` is kept for what must be set aside, `noted` for whoever looks.
    """

    organisation_id: int
    received_at: datetime
    observations: tuple[Observation, ...] = ()
    indexes: tuple[int, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    set_aside: str | None = None
    source_id: int | None = None
    device_id: int | None = None
    registers_devices: bool = False
    is_lenient: bool = False
    uplink: Uplink | None = None
    noted: Noted | None = None


class Outcome(Struct, frozen=True, omit_defaults=True, gc=False):
    """What became of one observation; `code` and `faults` say why it was not stored.

    `position` is, of a duplicate, the key of the first: device id and time.
    """

    index: int
    disposition: Disposition
    code: str = ""
    faults: tuple[Fault, ...] = ()
    position: tuple[int, datetime] | None = None


class Receipt(Struct, frozen=True):
    """What became of a delivery: an outcome for each observation, in the order of the uplink."""

    outcomes: tuple[Outcome, ...]

    def count(self, disposition: Disposition) -> int:
        return sum(outcome.disposition == disposition for outcome in self.outcomes)


def spooled_receipt(delivery: Delivery) -> Receipt:
    """Return the receipt of a delivery that is on disk and will go down the road later."""
    return Receipt(_sorted(_ahead_of_the_road(delivery, if_usable="spooled")))


def refused_outcomes(delivery: Delivery) -> list[Outcome]:
    """Return the outcomes that the wire format decided: what it could not read or use."""
    if not delivery.refusals and delivery.set_aside is None:
        return []
    outcomes = [
        Outcome(
            refusal.index,
            "set-aside" if delivery.is_lenient else "refused",
            refusal.faults[0].code if refusal.faults else "invalid",
            refusal.faults,
        )
        for refusal in delivery.refusals
    ]
    if delivery.set_aside is not None:
        outcomes.append(Outcome(0, "set-aside", delivery.set_aside.partition(":")[0]))
    return outcomes


def _ahead_of_the_road(delivery: Delivery, *, if_usable: Disposition) -> list[Outcome]:
    usable = [Outcome(index, if_usable) for index in delivery.indexes]
    return refused_outcomes(delivery) + usable


def _sorted(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    return tuple(sorted(outcomes, key=lambda outcome: outcome.index))


def receipt_of(delivery: Delivery, outcomes: Sequence[Outcome]) -> Receipt:
    """Return the receipt: what became of the observations, and what the format decided."""
    refused = refused_outcomes(delivery)
    if not refused and len(outcomes) == 1:
        return Receipt((outcomes[0],))
    return Receipt(_sorted([*outcomes, *refused]))
