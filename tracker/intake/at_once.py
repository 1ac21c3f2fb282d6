"""The intake for those who wait: one uplink by itself, without group commit and without a log.

For people and integrators in the web process. Where the database is away they hear so, and
send again.
"""

from __future__ import annotations

from functools import cache

from django.conf import settings

from assets.device_registry import Origin
from tracker import pipeline
from tracker.intake.deliveries import DeliveryDesk
from tracker.intake.quotas import Quota
from tracker.road.delivery import Delivery, Receipt
from tracker.road.road_memory import memory_of_process
from wire.uplink import Uplink
from wire.wire_format import WireFormat


@cache
def _quota() -> Quota:
    """Return the quota of this process, whose memory the others do not see."""
    return Quota(settings.OBSERVATIONS_PER_DEVICE_AND_MINUTE)


def checked_delivery(uplink: Uplink, origin: Origin, wire_format: WireFormat) -> Delivery:
    """Decode and check an uplink by what is in the database now. Raises Refused."""
    # Nothing keeps the registry of this process fresh.
    registry = memory_of_process().registry
    registry.refresh()
    return DeliveryDesk(registry, _quota()).delivery(uplink, origin, wire_format)


def receive_at_once(uplink: Uplink, origin: Origin, wire_format: WireFormat) -> Receipt:
    """Take an uplink down the road. Raises Refused, Unavailable and errors of the database."""
    delivery = checked_delivery(uplink, origin, wire_format)
    return pipeline.receive([delivery], memory_of_process())[0]
