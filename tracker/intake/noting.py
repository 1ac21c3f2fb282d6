"""Which uplinks are kept for people to look at, and with which outcome.

All that say more than their observations do, up to a rate; of the others, and of those that were
refused, one of each source and second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from assets.device_registry import Origin, Registry
from core.errors import Refused, TrackerError
from tracker.road.delivery import Delivery, Noted, Receipt
from uplinks.recent import MAX_DEVICES, RecentUplink
from wire.notes import MAX_CHARS, bounded_notes
from wire.uplink import Decoded, Uplink
from wire.wire_format import WireFormat

Keep = Callable[[RecentUplink, Sequence[str]], None]

SAMPLE_EVERY_S = 1.0
# What is kept costs as much as storing it: beyond so many in a second it is one of each source.
AT_MOST_PER_S = 200
_MAX_CODES = 5


class Noter:
    """Notes what is worth it while an uplink is decoded, and keeps it once its fate is known."""

    def __init__(self, registry: Registry, keep: Keep) -> None:
        self._registry = registry
        self._keep = keep
        self._sampled_at: dict[int, float] = {}
        self._second, self._in_second = 0, 0

    def noted(
        self, uplink: Uplink, decoded: Decoded, origin: Origin, wire_format: WireFormat
    ) -> Noted | None:
        """Return what is to be kept of an uplink, if it is."""
        if origin.source_id is None:
            return None
        is_plain = not decoded.notes and bool(decoded.observations)
        if not self._is_due(origin.source_id, is_plain=is_plain):
            return None
        return Noted(
            wire_format=wire_format.name,
            message=decoded.message,
            size=len(uplink.body) or len(uplink.query),
            devices=() if is_plain else _devices(decoded),
            notes=bounded_notes(decoded.notes),
        )

    def keep_outcomes(
        self, deliveries: Sequence[Delivery], outcomes: Sequence[Receipt | TrackerError]
    ) -> None:
        """Keep what was noted of deliveries, now that it is known what became of them."""
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            if delivery.noted is not None and isinstance(outcome, Receipt):
                self._keep_one(delivery, delivery.noted, outcome)

    def keep_refusal(
        self, uplink: Uplink, origin: Origin, wire_format: WireFormat, error: Refused
    ) -> None:
        """Keep an uplink that its sender must mend: nobody else may hear of it."""
        if origin.source_id is None or not self._is_due(origin.source_id, is_plain=True):
            return
        refused = RecentUplink(
            organisation_id=origin.organisation_id,
            source_id=origin.source_id,
            received_at=uplink.received_at,
            wire_format=wire_format.name,
            message="refused",
            size=len(uplink.body) or len(uplink.query),
            codes=(error.code,),
            notes={"detail": error.detail[:MAX_CHARS]},
        )
        self._keep(refused, ())

    def _keep_one(self, delivery: Delivery, noted: Noted, receipt: Receipt) -> None:
        assert delivery.source_id is not None, "only those of a source are noted"
        dispositions: dict[str, int] = {}
        for outcome in receipt.outcomes:
            dispositions[outcome.disposition] = dispositions.get(outcome.disposition, 0) + 1
        codes = dict.fromkeys(outcome.code for outcome in receipt.outcomes if outcome.code)
        uplink = RecentUplink(
            organisation_id=delivery.organisation_id,
            source_id=delivery.source_id,
            received_at=delivery.received_at,
            wire_format=noted.wire_format,
            message=noted.message,
            size=noted.size,
            devices=noted.devices,
            dispositions=dispositions,
            codes=tuple(codes)[:_MAX_CODES],
            notes=noted.notes,
        )
        device, organisation_id = self._registry.device, delivery.organisation_id
        self._keep(uplink, [one for one in noted.devices if device(organisation_id, one)])

    def _is_due(self, source_id: int, *, is_plain: bool) -> bool:
        now_s = time.monotonic()
        if not is_plain and self._is_room(int(now_s)):
            return True
        if now_s - self._sampled_at.get(source_id, 0.0) < SAMPLE_EVERY_S:
            return False
        self._sampled_at[source_id] = now_s
        return True

    def _is_room(self, second: int) -> bool:
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return self._in_second <= AT_MOST_PER_S


def _devices(decoded: Decoded) -> tuple[str, ...]:
    """Return whom an uplink is about."""
    named = dict.fromkeys(one.device for one in decoded.observations)
    if not named and decoded.device is not None:
        return (decoded.device,)
    return tuple(named)[:MAX_DEVICES]
