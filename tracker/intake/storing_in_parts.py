"""Storing the observations of a failed delivery one by one, so that one spoils no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import structlog
from django.db import DataError, InterfaceError, OperationalError
from msgspec import structs

from core.errors import Fault, Unavailable
from tracker.road.delivery import Delivery, ObservationOutcome, Receipt
from wire.uplink import Refusal

log = structlog.get_logger(__name__)

# Errors of a database that is away, not of a delivery.
DATABASE_AWAY = (OperationalError, InterfaceError, Unavailable, TimeoutError)


class ObservationsFailed(Unavailable):
    """Some observations of a delivery could not be stored, by a mistake of ours."""


Receive = Callable[[Delivery], Receipt]


def receive_in_parts(
    delivery: Delivery, receive: Receive, *, is_acknowledged: bool = False
) -> Receipt:
    """Return the receipt of a delivery whose observations are stored one by one.

    An observation that the database cannot hold is refused as `unstorable`, or set aside if its
    sender is lenient. ObservationsFailed is raised, after the others were stored, for mistakes of
    ours, since the sender may repeat the same once they are mended, and for deliveries that were
    acknowledged. Errors of a database that is away pass.
    """
    outcomes: list[ObservationOutcome] = []
    failed = 0
    for part in _parts(delivery):
        try:
            outcomes += receive(part).outcomes
        except DATABASE_AWAY:
            raise
        except Exception as error:
            log.exception("an observation could not be stored", source=delivery.source_id)
            is_refusable = isinstance(error, DataError) and not is_acknowledged
            if delivery.is_lenient or is_refusable:
                outcomes += receive(_without_observations(delivery, part)).outcomes
            else:
                failed += 1
    if failed:
        raise ObservationsFailed(f"{failed} of the observations could not be stored")
    return Receipt(tuple(sorted(outcomes, key=lambda outcome: outcome.index)))


def _parts(delivery: Delivery) -> Iterator[Delivery]:
    """Yield a delivery for each observation, and one for what is refused or set aside anyway."""
    later_us = delivery.later_us or (0,) * len(delivery.observations)
    whole = zip(delivery.indexes, delivery.observations, later_us, strict=True)
    for index, observation, later in whole:
        yield structs.replace(
            delivery,
            observations=(observation,),
            indexes=(index,),
            later_us=(later,),
            refusals=(),
            set_aside=None,
        )
    if delivery.refusals or delivery.set_aside is not None:
        yield structs.replace(delivery, observations=(), indexes=(), later_us=())


def _without_observations(delivery: Delivery, part: Delivery) -> Delivery:
    """Return the part with a refusal in place of its observation."""
    is_alone = len(delivery.observations) + len(delivery.refusals) <= 1
    index = part.indexes[0] if part.indexes else 0
    fault = Fault(
        pointer="" if is_alone else f"/{index}",
        code="unstorable",
        detail="The server cannot store what it read here.",
    )
    refusal = Refusal(index=index, faults=(fault,))
    return structs.replace(
        part, observations=(), indexes=(), later_us=(), refusals=(refusal,), set_aside=None
    )
