"""Making a delivery of an uplink, with the same checks for every door."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from msgspec import structs

from assets.device_registry import Origin, Registry
from core.errors import Fault, Refused, UnreadableUplink, UnsupportedMediaType
from core.observation import MAX_IDENTIFIER_LENGTH, Observation, is_identifier
from tracker.intake.quotas import Quota
from tracker.intake.recent_uplink_recorder import RecentUplinkRecorder
from tracker.road.delivery import Delivery
from wire.registry import FORMATS, detect
from wire.uplink import Decoded, Refusal, Uplink
from wire.wire_format import Certainty, WireFormat

# The format of an uplink that is of none: it is kept, since its sender may not send it again.
UNRECOGNISED = WireFormat(
    name="unknown",
    title="Of no known wire format",
    certainty=lambda _: Certainty.NONE,
    open=lambda _: Decoded(
        message="unknown", set_aside="unrecognised: no known wire format looks like this"
    ),
    is_lenient=True,
)


def recognised_format(uplink: Uplink) -> WireFormat:
    """Return the format of an uplink by its content, whatever the format of its token.

    Raises UnreadableUplink for an empty request, of which there is nothing to keep.
    """
    if not uplink.query and not uplink.body.strip():
        raise UnreadableUplink("neither parameters nor a body.", code="empty-body")
    return FORMATS.get(detect(uplink) or "", UNRECOGNISED)


class DeliveryFactory:
    """Makes deliveries of uplinks. Devices may report as often as `quota` allows.

    A `recorder` adds the summaries of uplinks that become recent uplinks.
    """

    def __init__(
        self, registry: Registry, quota: Quota, recorder: RecentUplinkRecorder | None = None
    ) -> None:
        self._registry = registry
        self._quota = quota
        self._recorder = recorder

    def make(self, uplink: Uplink, origin: Origin, wire_format: WireFormat) -> Delivery:
        """Decode and check an uplink. Raises Refused if its sender must correct it.

        Senders of lenient formats are never refused: an unusable uplink of theirs is set aside.
        """
        decoded = self._decoded(uplink, origin, wire_format)
        if not wire_format.is_lenient:
            self._charge_quota(decoded, origin)
        summary = None
        if self._recorder is not None:
            summary = self._recorder.summarise_if_due(uplink, decoded, origin, wire_format)
        return Delivery(
            organisation_id=origin.organisation_id,
            source_id=origin.source_id,
            device_id=origin.device_id,
            registers_devices=origin.registers_devices,
            is_lenient=wire_format.is_lenient,
            received_at=uplink.received_at,
            observations=decoded.observations,
            indexes=decoded.indexes,
            later_us=_order_of_receipt(decoded.observations),
            refusals=decoded.refusals,
            set_aside=decoded.set_aside,
            # The bytes are needed only where the uplink may have to be set aside.
            uplink=None if self._is_never_set_aside(decoded, origin, wire_format) else uplink,
            summary=summary,
        )

    def _decoded(self, uplink: Uplink, origin: Origin, wire_format: WireFormat) -> Decoded:
        """Decode an uplink; if a lenient sender's is unreadable, have it set aside."""
        try:
            _require_media_type(uplink, wire_format)
            if "%00" in uplink.query:
                raise UnreadableUplink("U+0000 cannot be stored.", code="forbidden-character")
            model_of = partial(self._registry.model_of, origin.organisation_id)
            decoded = _without_bad_identifiers(wire_format.decode(uplink, model_of))
            return _numbered(decoded)
        except Refused as error:
            if not wire_format.is_lenient:
                raise
            return Decoded(message="unreadable", set_aside=f"{error.code}: {error.detail}")

    def _charge_quota(self, decoded: Decoded, origin: Origin) -> None:
        now_s = time.monotonic()
        owner_id = origin.source_id or -origin.organisation_id
        if len(decoded.observations) == 1:
            self._quota.take((owner_id, decoded.observations[0].device), 1, now_s)
            return
        amounts: dict[str, int] = {}
        for observation in decoded.observations:
            amounts[observation.device] = amounts.get(observation.device, 0) + 1
        for device, amount in amounts.items():
            self._quota.take((owner_id, device), amount, now_s)

    def _is_never_set_aside(
        self, decoded: Decoded, origin: Origin, wire_format: WireFormat
    ) -> bool:
        """Return whether no part of an uplink can still be set aside."""
        if wire_format.is_lenient or decoded.refusals or decoded.set_aside:
            return False
        device, organisation_id = self._registry.device, origin.organisation_id
        for observation in decoded.observations:
            if device(organisation_id, observation.device) is None:
                return False
        return True


def _numbered(decoded: Decoded) -> Decoded:
    """Return the uplink with its observations without a time a microsecond apart for each device.

    All of them got the time of receipt, and would be taken for one fact.
    """
    if len(decoded.observations) < 2:
        return decoded
    if sum(each.time_source == "server" for each in decoded.observations) < 2:
        return decoded
    numbers: Counter[str] = Counter()
    numbered = []
    for each in decoded.observations:
        later = timedelta(microseconds=numbers[each.device])
        if each.time_source == "server":
            numbers[each.device] += 1
            numbered.append(structs.replace(each, measured_at=each.measured_at + later))
        else:
            numbered.append(each)
    return structs.replace(decoded, observations=tuple(numbered))


def _order_of_receipt(observations: Sequence[Observation]) -> tuple[int, ...]:
    """Return the µs after the first by which each observation of a device and moment counts later.

    Of different messages of a moment the later received one counts, unless they say when they
    were made: in one list, that is the order of the list. Empty where no moment comes twice.
    """
    if len(observations) < 2:
        return ()
    moments = [(each.device, each.measured_at) for each in observations]
    if len(set(moments)) == len(moments):
        return ()
    before: Counter[tuple[str, datetime]] = Counter()
    later = []
    for moment in moments:
        later.append(before[moment])
        before[moment] += 1
    return tuple(later)


def _without_bad_identifiers(decoded: Decoded) -> Decoded:
    """Return the uplink with a refusal for each observation whose device no one can register."""
    if all(is_identifier(observation.device) for observation in decoded.observations):
        return decoded
    pairs = list(zip(decoded.indexes, decoded.observations, strict=True))
    good = [pair for pair in pairs if is_identifier(pair[1].device)]
    is_alone = len(decoded.observations) + len(decoded.refusals) == 1
    refusals = [
        Refusal(
            index=index,
            faults=(
                Fault(
                    pointer="/device" if is_alone else f"/{index}/device",
                    code="identifier-invalid",
                    detail=f"An identifier has 1 to {MAX_IDENTIFIER_LENGTH} printable characters.",
                ),
            ),
        )
        for index, observation in pairs
        if not is_identifier(observation.device)
    ]
    return structs.replace(
        decoded,
        observations=tuple(observation for _, observation in good),
        indexes=tuple(index for index, _ in good),
        refusals=(*decoded.refusals, *refusals),
    )


def _require_media_type(uplink: Uplink, wire_format: WireFormat) -> None:
    if not wire_format.media_types or not uplink.body:
        return
    media_type = (uplink.content_type or "").partition(";")[0].strip().lower()
    if media_type not in wire_format.media_types:
        raise UnsupportedMediaType(f"send {' or '.join(wire_format.media_types)}")
