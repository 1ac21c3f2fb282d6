"""The synchronous intake: one uplink in the caller's thread, without group commit or intake log.

For people and integrators in the web process. If the database is away they get an error, and send
again.
"""

from __future__ import annotations

from functools import cache

import structlog
from django.conf import settings
from django.db import transaction

from assets.device_registry import Origin
from core.errors import Refused
from tracker import pipeline
from tracker.intake.delivery_factory import DeliveryFactory
from tracker.intake.quotas import Quota
from tracker.intake.storing_in_parts import DATABASE_AWAY, receive_in_parts
from tracker.road.delivery import Delivery, Receipt
from tracker.road.road_memory import memory_of_process
from wire.uplink import Uplink
from wire.wire_format import WireFormat

log = structlog.get_logger(__name__)


@cache
def _quota() -> Quota:
    """Return the quota of this process, separate from the quotas of other processes."""
    return Quota(settings.OBSERVATIONS_PER_DEVICE_AND_MINUTE)


def checked_delivery(uplink: Uplink, origin: Origin, wire_format: WireFormat) -> Delivery:
    """Decode and check an uplink by the current rows of the database. Raises Refused."""
    # No thread refreshes the registry of this process.
    registry = memory_of_process().registry
    registry.refresh()
    return DeliveryFactory(registry, _quota()).make(uplink, origin, wire_format)


def receive_synchronously(uplink: Uplink, origin: Origin, wire_format: WireFormat) -> Receipt:
    """Store and judge an uplink. Raises Refused, Unavailable and errors of the database."""
    return receive_delivery(checked_delivery(uplink, origin, wire_format))


def receive_delivery(delivery: Delivery) -> Receipt:
    """Store and judge a delivery; if that fails as a whole, each of its observations alone."""
    try:
        return _receive(delivery)
    except (*DATABASE_AWAY, Refused):
        raise
    except Exception:  # a bug of ours: one bad observation must not fail its neighbours
        log.exception("an uplink could not be stored as a whole", source=delivery.source_id)
    return receive_in_parts(delivery, _receive)


def _receive(delivery: Delivery) -> Receipt:
    with transaction.atomic():
        return pipeline.receive([delivery], memory_of_process())[0]
