"""From an uplink to a delivery: the same checks whichever door it came in by."""

from __future__ import annotations

import time
from functools import partial

from assets.device_registry import Origin, Registry
from core.errors import Refused, UnreadableUplink, UnsupportedMediaType
from tracker.intake.noting import Noter
from tracker.intake.quotas import Quota
from tracker.road.delivery import Delivery
from wire.registry import FORMATS, detect
from wire.uplink import Decoded, Uplink
from wire.wire_format import WireFormat


def recognised_format(uplink: Uplink, otherwise: str) -> WireFormat:
    """Return the format that an uplink looks like, or else the one of that name.

    Raises UnsupportedMediaType where it is neither.
    """
    found = FORMATS.get(detect(uplink) or otherwise)
    if found is None:
        raise UnsupportedMediaType("no known wire format looks like this")
    return found


class DeliveryDesk:
    """Makes deliveries of uplinks. Devices may report as often as `quota` allows.

    What is to be seen of an uplink besides is noted by `noter`, where there is one.
    """

    def __init__(self, registry: Registry, quota: Quota, noter: Noter | None = None) -> None:
        self._registry = registry
        self._quota = quota
        self._noter = noter

    def delivery(self, uplink: Uplink, origin: Origin, wire_format: WireFormat) -> Delivery:
        """Decode and check an uplink. Raises Refused for what its sender must mend.

        Senders of lenient formats are never refused: what they sent is set aside at worst.
        """
        decoded = self._decoded(uplink, origin, wire_format)
        if not wire_format.is_lenient:
            self._charge(decoded, origin)
        noted = None
        if self._noter is not None:
            noted = self._noter.noted(uplink, decoded, origin, wire_format)
        return Delivery(
            organisation_id=origin.organisation_id,
            source_id=origin.source_id,
            device_id=origin.device_id,
            registers_devices=origin.registers_devices,
            is_lenient=wire_format.is_lenient,
            received_at=uplink.received_at,
            observations=decoded.observations,
            indexes=decoded.indexes,
            refusals=decoded.refusals,
            set_aside=decoded.set_aside,
            # Only what may have to be set aside needs its bytes any longer.
            uplink=None if self._is_plain(decoded, origin, wire_format) else uplink,
            noted=noted,
        )

    def _decoded(self, uplink: Uplink, origin: Origin, wire_format: WireFormat) -> Decoded:
        """Decode; of a lenient sender's unreadable uplink make one that is to be set aside."""
        try:
            _require_media_type(uplink, wire_format)
            if "%00" in uplink.query:
                raise UnreadableUplink("U+0000 cannot be stored.", code="forbidden-character")
            model_of = partial(self._registry.model_of, origin.organisation_id)
            return wire_format.decode(uplink, model_of)
        except Refused as error:
            if not wire_format.is_lenient:
                raise
            return Decoded(message="unreadable", set_aside=f"{error.code}: {error.detail}")

    def _charge(self, decoded: Decoded, origin: Origin) -> None:
        now_s = time.monotonic()
        whose = origin.source_id or -origin.organisation_id
        if len(decoded.observations) == 1:
            self._quota.take((whose, decoded.observations[0].device), 1, now_s)
            return
        amounts: dict[str, int] = {}
        for observation in decoded.observations:
            amounts[observation.device] = amounts.get(observation.device, 0) + 1
        for device, amount in amounts.items():
            self._quota.take((whose, device), amount, now_s)

    def _is_plain(self, decoded: Decoded, origin: Origin, wire_format: WireFormat) -> bool:
        """Whether nothing of an uplink can be set aside any more."""
        if wire_format.is_lenient or decoded.refusals or decoded.set_aside:
            return False
        device, organisation_id = self._registry.device, origin.organisation_id
        for observation in decoded.observations:
            if device(organisation_id, observation.device) is None:
                return False
        return True


def _require_media_type(uplink: Uplink, wire_format: WireFormat) -> None:
    if not wire_format.media_types or not uplink.body:
        return
    media_type = (uplink.content_type or "").partition(";")[0].strip().lower()
    if media_type not in wire_format.media_types:
        raise UnsupportedMediaType(f"send {' or '.join(wire_format.media_types)}")
