"""Deliveries from the doors to the road, and their receipts: plain values that can be spooled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from core.errors import Fault
from core.observation import Observation
from wire.uplink import Refusal, Uplink

Disposition = Literal["stored", "duplicate", "set-aside", "refused", "spooled"]


class UplinkSummary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of an uplink that is kept for people to look at, beside its observations."""

    wire_format: str
    message: str
    size: int
    devices: tuple[str, ...] = ()
    notes: dict[str, Any] = {}


class Delivery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The observations of an uplink from an authenticated source.

    `source_id` is None for the REST door, which authenticates a person. `device_id` is set if
    the token is for one device only. Observations of `is_lenient` senders are set aside rather
    than refused. `later_us`, if given, is by how many µs each observation counts as received later
    than `received_at`, so that those of a list count in its order. `uplink` is kept for
    observations that must be set aside, `summary` for people.
    """

    organisation_id: int
    received_at: datetime
    observations: tuple[Observation, ...] = ()
    indexes: tuple[int, ...] = ()
    later_us: tuple[int, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    set_aside: str | None = None
    source_id: int | None = None
    device_id: int | None = None
    registers_devices: bool = False
    is_lenient: bool = False
    uplink: Uplink | None = None
    summary: UplinkSummary | None = None


class ObservationOutcome(Struct, frozen=True, omit_defaults=True, gc=False):
    """The outcome of an observation; `code` and `faults` are the reason if it was not stored.

    `position` is the key of the first copy of a duplicate: device id and time. `more_faults` is
    the number of faults that are not listed.
    """

    index: int
    disposition: Disposition
    code: str = ""
    faults: tuple[Fault, ...] = ()
    position: tuple[int, datetime] | None = None
    more_faults: int = 0


class Receipt(Struct, frozen=True):
    """The outcomes of a delivery's observations, in the order of the uplink."""

    outcomes: tuple[ObservationOutcome, ...]

    def count(self, disposition: Disposition) -> int:
        return sum(outcome.disposition == disposition for outcome in self.outcomes)


def spooled_receipt(delivery: Delivery) -> Receipt:
    """Return the receipt of a delivery that is on disk and will go down the road later."""
    return Receipt(_sorted(_outcomes_before_storing(delivery, if_usable="spooled")))


def refused_outcomes(delivery: Delivery) -> list[ObservationOutcome]:
    """Return the outcomes of observations that the wire format could not read or use."""
    if not delivery.refusals and delivery.set_aside is None:
        return []
    outcomes = [
        ObservationOutcome(
            refusal.index,
            "set-aside" if delivery.is_lenient else "refused",
            refusal.faults[0].code if refusal.faults else "invalid",
            refusal.faults,
            more_faults=refusal.more_faults,
        )
        for refusal in delivery.refusals
    ]
    if delivery.set_aside is not None:
        outcomes.append(ObservationOutcome(0, "set-aside", delivery.set_aside.partition(":")[0]))
    return outcomes


def _outcomes_before_storing(
    delivery: Delivery, *, if_usable: Disposition
) -> list[ObservationOutcome]:
    usable = [ObservationOutcome(index, if_usable) for index in delivery.indexes]
    return refused_outcomes(delivery) + usable


def _sorted(outcomes: Iterable[ObservationOutcome]) -> tuple[ObservationOutcome, ...]:
    return tuple(sorted(outcomes, key=lambda outcome: outcome.index))


def receipt_of(delivery: Delivery, outcomes: Sequence[ObservationOutcome]) -> Receipt:
    """Return the receipt, from the outcomes of the road and those of the wire format."""
    refused = refused_outcomes(delivery)
    if not refused and len(outcomes) == 1:
        return Receipt((outcomes[0],))
    return Receipt(_sorted([*outcomes, *refused]))
