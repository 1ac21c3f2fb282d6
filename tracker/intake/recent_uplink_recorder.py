"""Choosing the recent uplinks that are kept for people, with their outcomes.

Uplinks with notes or without observations are kept up to a rate; of plain and refused uplinks, one
for each source and second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from assets.device_registry import Origin, Registry
from core.errors import Refused, TrackerError
from tracker.road.delivery import Delivery, Receipt, UplinkSummary
from uplinks.recent import MAX_DEVICES, RecentUplink
from wire.notes import MAX_CHARS, bounded_notes
from wire.uplink import Decoded, Uplink
from wire.wire_format import WireFormat

KeepRecentUplink = Callable[[RecentUplink, Sequence[str]], None]

SAMPLE_EVERY_S = 1.0
# Keeping an uplink costs as much as storing it. Beyond so many in a second, uplinks with notes are
# chosen like plain ones.
MAX_PER_S = 200
_MAX_CODES = 5


class RecentUplinkRecorder:
    """Summarises chosen uplinks as they are decoded, and keeps them with their outcomes later."""

    def __init__(self, registry: Registry, keep_uplink: KeepRecentUplink) -> None:
        self._registry = registry
        self._keep_uplink = keep_uplink
        self._sampled_at: dict[int, float] = {}
        self._second, self._in_second = 0, 0

    def summarise_if_due(
        self, uplink: Uplink, decoded: Decoded, origin: Origin, wire_format: WireFormat
    ) -> UplinkSummary | None:
        """Return the summary of an uplink, or None if it is not chosen to be kept."""
        if origin.source_id is None:
            return None
        is_plain = not decoded.notes and bool(decoded.observations)
        if not self._take_turn(origin.source_id, is_plain=is_plain):
            return None
        return UplinkSummary(
            wire_format=wire_format.name,
            message=decoded.message,
            size=len(uplink.body) or len(uplink.query),
            devices=() if is_plain else _named_devices(decoded),
            notes=bounded_notes(decoded.notes),
        )

    def record_outcomes(
        self, deliveries: Sequence[Delivery], outcomes: Sequence[Receipt | TrackerError]
    ) -> None:
        """Keep the summarised uplinks of deliveries, with their outcomes."""
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            if delivery.summary is not None and isinstance(outcome, Receipt):
                self._record_outcome(delivery, delivery.summary, outcome)

    def record_refusal(
        self, uplink: Uplink, origin: Origin, wire_format: WireFormat, error: Refused
    ) -> None:
        """Keep an uplink that was refused, if it is chosen: no other record of it exists."""
        if origin.source_id is None or not self._take_turn(origin.source_id, is_plain=True):
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
        self._keep_uplink(refused, ())

    def _record_outcome(self, delivery: Delivery, summary: UplinkSummary, receipt: Receipt) -> None:
        assert delivery.source_id is not None, "only uplinks of a source are summarised"
        dispositions: dict[str, int] = {}
        for outcome in receipt.outcomes:
            dispositions[outcome.disposition] = dispositions.get(outcome.disposition, 0) + 1
        codes = dict.fromkeys(outcome.code for outcome in receipt.outcomes if outcome.code)
        uplink = RecentUplink(
            organisation_id=delivery.organisation_id,
            source_id=delivery.source_id,
            received_at=delivery.received_at,
            wire_format=summary.wire_format,
            message=summary.message,
            size=summary.size,
            devices=summary.devices,
            dispositions=dispositions,
            codes=tuple(codes)[:_MAX_CODES],
            notes=summary.notes,
        )
        device, organisation_id = self._registry.device, delivery.organisation_id
        self._keep_uplink(
            uplink, [name for name in summary.devices if device(organisation_id, name)]
        )

    def _take_turn(self, source_id: int, *, is_plain: bool) -> bool:
        """Return whether an uplink is chosen, and count it as chosen."""
        now_s = time.monotonic()
        if not is_plain and self._take_turn_of_second(int(now_s)):
            return True
        if now_s - self._sampled_at.get(source_id, 0.0) < SAMPLE_EVERY_S:
            return False
        self._sampled_at[source_id] = now_s
        return True

    def _take_turn_of_second(self, second: int) -> bool:
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return self._in_second <= MAX_PER_S


def _named_devices(decoded: Decoded) -> tuple[str, ...]:
    """Return the identifiers of the devices that an uplink names."""
    named = dict.fromkeys(observation.device for observation in decoded.observations)
    if not named and decoded.device is not None:
        return (decoded.device,)
    return tuple(named)[:MAX_DEVICES]
