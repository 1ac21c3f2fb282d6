"""Replaying uplinks that were set aside: decoded again as at their arrival, stored and judged.

The work of the road, the mark on the row and the books are one transaction. So an observation
counts once: it leaves `set_aside` in the moment in which it becomes `stored` or `duplicate`.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.db import DataError, transaction
from django.db.models import QuerySet
from msgspec import Struct, structs

from assets.device_registry import Origin
from assets.models import Source
from core.errors import Conflict, Refused
from tracker.intake.delivery_factory import recognised_format
from tracker.intake.storing_in_parts import DATABASE_AWAY
from tracker.intake.synchronous_intake import checked_delivery, receive_delivery
from tracker.road.delivery import Delivery, ObservationOutcome, Receipt
from uplinks import books
from uplinks.actions import mark_replayed
from uplinks.books import Counts
from wire.registry import FORMATS
from wire.uplink import Uplink

log = structlog.get_logger(__name__)


class ReplayResult(Struct, frozen=True):
    """The result of replaying an uplink; `receipt` has the observations that were set aside."""

    uplink_id: int
    receipt: Receipt
    is_taken_up: bool


def replay(uplinks: QuerySet[Any], uplink_id: int) -> ReplayResult:
    """Replay one of `uplinks`. Raises Conflict if that was done before.

    Observations that still cannot be used stay set aside. Repeated and concurrent calls are safe.
    """
    try:
        return _replay(uplinks, uplink_id)
    except (*DATABASE_AWAY, DataError, Refused):
        raise
    except Exception:  # a bug of ours: this uplink stays set aside, and others are replayed
        log.exception("an uplink could not be replayed", uplink=uplink_id)
        return ReplayResult(uplink_id, _set_aside("unstorable"), is_taken_up=False)


def _replay(uplinks: QuerySet[Any], uplink_id: int) -> ReplayResult:
    with transaction.atomic():
        row = uplinks.select_for_update(of=("self",)).defer(None).get(pk=uplink_id)
        if row.replayed_at is not None:
            raise Conflict("This uplink was taken up before.")
        try:
            mine = _part_of(row, _decode_again(row))
        except Refused as error:
            return ReplayResult(uplink_id, _set_aside(error.code), is_taken_up=False)
        received = receive_delivery(mine)
        receipt = Receipt(tuple(_set_aside_if_refused(outcome) for outcome in received.outcomes))
        waiting = receipt.count("set-aside")
        _correct_books(row, receipt, waiting)
        if waiting:
            # The part that was taken up is now counted as stored or duplicate.
            uplinks.filter(pk=row.pk).update(observations=waiting)
        else:
            mark_replayed(row)
    return ReplayResult(uplink_id, receipt, not waiting)


def replay_some(uplinks: QuerySet[Any], *, after: int, limit: int) -> list[ReplayResult]:
    """Replay up to `limit` open uplinks, oldest first, each in a transaction of its own."""
    open_ids = uplinks.filter(replayed_at=None, pk__gt=after).order_by("pk")
    done = []
    for uplink_id in list(open_ids.values_list("pk", flat=True)[:limit]):
        try:
            done.append(replay(uplinks, uplink_id))
        except Conflict:
            log.info("an uplink was replayed by another request meanwhile", uplink=uplink_id)
        except DataError:
            # One bad uplink must not stand in the way of its neighbours.
            log.exception("an uplink could not be replayed", uplink=uplink_id)
            done.append(ReplayResult(uplink_id, _set_aside("unstorable"), is_taken_up=False))
    return done


def _decode_again(row: Any) -> Delivery:
    """Return the delivery by the current registry. Raises Refused if it is still unusable."""
    source: Source = row.source
    uplink = Uplink(
        received_at=row.received_at,
        body=bytes(row.body),
        content_type=row.content_type or None,
        query=row.query,
        headers=row.headers,
        user=row.basic_user or None,
    )
    origin = Origin(
        organisation_id=row.organisation_id,
        source_id=source.pk,
        device_id=source.device_id,
        registers_devices=source.unknown_devices == Source.UnknownDevices.REGISTER,
    )
    wire_format = FORMATS.get(source.wire_format)
    if wire_format is None or row.reason == "unrecognised":
        wire_format = recognised_format(uplink)
    return checked_delivery(uplink, origin, wire_format)


def _part_of(row: Any, delivery: Delivery) -> Delivery:
    """Return the part of a delivery that `row` stands for; the rest was stored or refused before.

    A row with a device stands for the observations of that device. A row without a device stands
    for a whole uplink that could not be used. Raises Refused if it is still unusable.
    """
    # Without a source: the row is there already, and the books are corrected here. The uplink was
    # acknowledged, so whatever cannot be stored now stays set aside.
    delivery = structs.replace(delivery, source_id=None, is_lenient=True, uplink=None)
    if not row.device_identifier:
        if delivery.set_aside is not None:
            raise Refused(code=delivery.set_aside.partition(":")[0])
        return delivery
    later_us = delivery.later_us or (0,) * len(delivery.observations)
    whole = zip(delivery.indexes, delivery.observations, later_us, strict=True)
    mine = [each for each in whole if each[1].device == row.device_identifier]
    if not mine:
        raise Refused("it says nothing of this device any more", code="device-missing")
    return structs.replace(
        delivery,
        indexes=tuple(index for index, _, _ in mine),
        observations=tuple(each for _, each, _ in mine),
        later_us=tuple(later for _, _, later in mine),
        refusals=(),
        set_aside=None,
    )


def _set_aside(code: str) -> Receipt:
    return Receipt((ObservationOutcome(0, "set-aside", code),))


def _set_aside_if_refused(outcome: ObservationOutcome) -> ObservationOutcome:
    """Return the outcome, set aside instead of refused: the uplink was acknowledged before."""
    if outcome.disposition != "refused":
        return outcome
    code = "unknown-device" if outcome.code == "not-found" else outcome.code
    return ObservationOutcome(outcome.index, "set-aside", code, outcome.faults)


def _correct_books(row: Any, receipt: Receipt, waiting: int) -> None:
    """Move counts from set aside to stored, and to duplicate where nothing new was stored.

    If decoding now finds more observations than were counted, received grows by the difference.
    """
    stored = receipt.count("stored")
    duplicate = max(0, row.observations - waiting - stored) if receipt.outcomes else 0
    change = Counts(stored=stored, duplicate=duplicate, set_aside=waiting - row.observations)
    if change != Counts():
        books.count({(row.source_id, row.received_at.date()): change})
