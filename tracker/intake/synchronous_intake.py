"""The synchronous intake: one uplink in the caller's thread, without group commit or intake log.

For people and integrators in the web process. If the database is away they get an error, and send
again.
"""

from __future__ import annotations

from functools import cache

from django.conf import settings

from assets.device_registry import Origin
from tracker import pipeline
from tracker.intake.delivery_factory import DeliveryFactory
from tracker.intake.quotas import Quota
from tracker.road.delivery import Delivery, Receipt
from tracker.road.road_memory import memory_of_process
from wire.uplink import Uplink
from wire.wire_format import WireFormat


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
    delivery = checked_delivery(uplink, origin, wire_format)
    return pipeline.receive([delivery], memory_of_process())[0]
