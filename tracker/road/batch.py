"""A batch on the road: the device, the asset and the outcome of each observation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgspec import Struct

from assets.device_registry import DeviceEntry, Registry
from core.errors import Fault, NotYourDevice, Unavailable
from core.observation import Observation
from positions import event_ids, store
from positions.event_ids import SenderEvent
from positions.store import CompletedFact, SentFacts, StoredFacts
from positions.stored_fact import Fact, Identity, fact_of
from tracker.road.delivery import (
    Delivery,
    ObservationOutcome,
    Receipt,
    receipt_of,
    refused_outcomes,
)
from uplinks.books import Counts, SetAsideUplink, SourceDay, TokenMisuse

FactKind = TypeVar("FactKind", Fact, CompletedFact)


class StaleRegistry(Unavailable):
    """The registry changed while devices were looked up."""


class BatchItem(Struct, gc=False):
    """An observation of the batch. `outcome` is None until it is decided."""

    delivery: Delivery
    index: int
    observation: Observation
    device: DeviceEntry | None
    asset_id: int | None = None
    fact: Fact | None = None
    event: SenderEvent | None = None
    outcome: ObservationOutcome | None = None


class Batch:
    """Deliveries with their observations resolved to devices and assets."""

    def __init__(self, deliveries: Sequence[Delivery], items: list[BatchItem]) -> None:
        self.deliveries = deliveries
        self.items = items
        self._receipts: list[Receipt] | None = None

    @classmethod
    def resolve(cls, deliveries: Sequence[Delivery], registry: Registry) -> Batch:
        """Look up the device and the asset of each observation, in memory."""
        items = [
            _resolved(delivery, index, observation, received_at, registry)
            for delivery in deliveries
            for index, observation, received_at in zip(
                delivery.indexes, delivery.observations, _receipt_times(delivery), strict=True
            )
        ]
        return cls(deliveries, items)

    @property
    def asset_ids(self) -> set[int]:
        return {item.asset_id for item in self.items if item.asset_id is not None}

    @property
    def organisation_ids(self) -> set[int]:
        return {delivery.organisation_id for delivery in self.deliveries}

    @property
    def asset_of(self) -> dict[Identity, int]:
        """Return the asset of each fact by the fact's identity; without facts of no asset."""
        return {
            item.fact.identity: item.asset_id
            for item in self.items
            if item.fact and item.asset_id is not None
        }

    def decide_repeated_events(self) -> None:
        """Decide observations whose event id was seen before, in the table or in this batch."""
        with_id = [item for item in self._undecided() if item.event]
        known = event_ids.known_events([item.event for item in with_id if item.event])
        for item in with_id:
            assert item.event is not None, "only items with an event id are here"
            # The first item with an id gets its own event back; later items get the first event.
            first = known.setdefault(item.event.key, item.event)
            if first.digest != item.event.digest:
                item.outcome = _reused_event_id(item)
            elif first is not item.event:
                first_key = first.device_id, first.measured_at
                item.outcome = ObservationOutcome(item.index, "duplicate", position=first_key)

    @property
    def has_events(self) -> bool:
        """True if any observation has an event id."""
        return any(item.event for item in self.items)

    def send_facts(self) -> SentFacts:
        """Send the INSERT of all facts that are still undecided."""
        return store.send_facts(item.fact for item in self._undecided() if item.fact)

    def finish_storing(self, sent: SentFacts) -> StoredFacts:
        """Fetch the result of `send_facts`, and decide which observations were repeats."""
        stored = store.finish_storing(sent)
        fresh = set(stored.new)
        open_items = self._undecided()
        for item in open_items:
            assert item.fact is not None, "an open item has a device"
            identity = item.fact.identity
            if identity in fresh:
                fresh.discard(identity)
                item.outcome = ObservationOutcome(item.index, "stored")
            else:
                item.outcome = ObservationOutcome(item.index, "duplicate", position=identity[:2])
        event_ids.store_events([item.event for item in open_items if item.event])
        return stored

    def receipts(self) -> list[Receipt]:
        """Return the receipts of the deliveries, in order. Every outcome must be decided."""
        if self._receipts is None:
            self._receipts = self._make_receipts()
        return self._receipts

    def _make_receipts(self) -> list[Receipt]:
        outcomes: dict[int, list[ObservationOutcome]] = defaultdict(list)
        for item in self.items:
            assert item.outcome is not None, "every outcome is decided by now"
            outcomes[id(item.delivery)].append(item.outcome)
        return [receipt_of(delivery, outcomes[id(delivery)]) for delivery in self.deliveries]

    def counts(self) -> dict[SourceDay, Counts]:
        """Return the counts to add to the books, by source and day of receipt."""
        counts: dict[SourceDay, Counts] = {}
        for delivery, receipt in zip(self.deliveries, self.receipts(), strict=True):
            if delivery.source_id is not None:
                day = delivery.received_at.date()
                book = counts.setdefault((delivery.source_id, day), Counts())
                for outcome in receipt.outcomes:
                    _count(book, outcome)
        return counts

    def uplinks_to_set_aside(self) -> list[SetAsideUplink]:
        """Return the uplinks to be set aside, once for each reason and device."""
        kept: dict[tuple[int, str, str], SetAsideUplink] = {}
        for delivery, outcome, identifier, detail in self._set_aside():
            if delivery.source_id is None or delivery.uplink is None:
                continue
            key = (id(delivery), outcome.code, identifier)
            former = kept.get(key)
            kept[key] = _set_aside_uplink(delivery, outcome, identifier, detail, former)
        return list(kept.values())

    def token_misuses(self) -> list[TokenMisuse]:
        """Return the observations that came under the token of another device (fault F-029)."""
        return [
            TokenMisuse(
                organisation_id=item.delivery.organisation_id,
                source_id=item.delivery.source_id,
                device_identifier=item.observation.device,
                at=item.delivery.received_at,
            )
            for item in self.items
            if item.outcome and item.outcome.code == NotYourDevice.code and item.delivery.source_id
        ]

    def cause_of(self, asset_id: int) -> dict[str, Any]:
        """Return the cause of an asset's corrections: its facts in this batch, as JSON."""
        facts = [item.fact for item in self.items if item.fact and item.asset_id == asset_id]
        return {
            "kind": "observations",
            "devices": sorted({fact.device_id for fact in facts}),
            "measured_at": sorted({fact.measured_at.isoformat() for fact in facts})[:20],
        }

    def _undecided(self) -> list[BatchItem]:
        return [item for item in self.items if item.outcome is None]

    def _set_aside(self) -> Iterable[tuple[Delivery, ObservationOutcome, str, str]]:
        for item in self.items:
            # Only a delivery with its uplink can be set aside.
            if item.delivery.uplink and item.outcome and item.outcome.disposition == "set-aside":
                yield item.delivery, item.outcome, item.observation.device, ""
        for delivery in self.deliveries:
            for outcome in refused_outcomes(delivery):
                if outcome.disposition == "set-aside":
                    yield delivery, outcome, "", _detail(delivery, outcome)


def _receipt_times(delivery: Delivery) -> Iterable[datetime]:
    """Return when each observation was received."""
    if not delivery.later_us:
        return (delivery.received_at,) * len(delivery.observations)
    return [delivery.received_at + timedelta(microseconds=later) for later in delivery.later_us]


def _resolved(
    delivery: Delivery,
    index: int,
    observation: Observation,
    received_at: datetime,
    registry: Registry,
) -> BatchItem:
    device = registry.device(delivery.organisation_id, observation.device)
    item = BatchItem(delivery, index, observation, device)
    if delivery.device_id is not None and (device is None or device.id != delivery.device_id):
        detail = "the token belongs to another device"
        item.outcome = _refused(item, NotYourDevice.code, detail)
    elif device is None:
        item.outcome = _unknown_device(item)
    else:
        item.fact = fact_of(observation, device_id=device.id, received_at=received_at)
        item.asset_id = device.asset_at(item.fact.at_us)
        item.event = event_ids.event_of(observation, device.id)
    return item


def _unknown_device(item: BatchItem) -> ObservationOutcome:
    if item.delivery.source_id is None:
        return _refused(item, "not-found", "there is no such device")
    return ObservationOutcome(item.index, "set-aside", "unknown-device")


def _reused_event_id(item: BatchItem) -> ObservationOutcome:
    if item.delivery.is_lenient:
        return ObservationOutcome(item.index, "set-aside", "event-id-reused")
    return _refused(item, "event-id-reused", "this event id was used before with other content")


def _refused(item: BatchItem, code: str, detail: str) -> ObservationOutcome:
    is_alone = len(item.delivery.observations) + len(item.delivery.refusals) == 1
    member = "event_id" if code == "event-id-reused" else "device"
    pointer = f"/{member}" if is_alone else f"/{item.index}/{member}"
    return ObservationOutcome(
        item.index, "refused", code, (Fault(pointer=pointer, code=code, detail=detail),)
    )


def _count(book: Counts, outcome: ObservationOutcome) -> None:
    match outcome.disposition:
        case "stored":
            book.stored += 1
        case "duplicate":
            book.duplicate += 1
        case "set-aside":
            book.set_aside += 1
        case "refused":
            book.refused += 1
        case "spooled":
            raise AssertionError("an observation on the road is no longer spooled")


def _detail(delivery: Delivery, outcome: ObservationOutcome) -> str:
    if outcome.faults:
        return "; ".join(f"{fault.pointer}: {fault.detail}" for fault in outcome.faults)
    return (delivery.set_aside or "").partition(":")[2].strip()


def _set_aside_uplink(
    delivery: Delivery,
    outcome: ObservationOutcome,
    identifier: str,
    detail: str,
    former: SetAsideUplink | None,
) -> SetAsideUplink:
    uplink = delivery.uplink
    assert uplink is not None, "the caller has checked the uplink"
    assert delivery.source_id is not None, "the caller has checked the source"
    return SetAsideUplink(
        organisation_id=delivery.organisation_id,
        source_id=delivery.source_id,
        received_at=delivery.received_at,
        reason=outcome.code,
        detail=detail,
        device_identifier=identifier,
        content_type=uplink.content_type or "",
        query=uplink.query,
        user=uplink.user or "",
        headers=uplink.headers,
        body=uplink.body,
        observations=former.observations + 1 if former else 1,
    )


def by_asset(batch: Batch, stored: Mapping[Identity, FactKind]) -> dict[int, list[FactKind]]:
    """Return the stored facts by asset, without facts of no asset."""
    asset_of = batch.asset_of
    of_assets: dict[int, list[FactKind]] = defaultdict(list)
    for identity, fact in stored.items():
        asset_id = asset_of.get(identity)
        if asset_id is not None:
            of_assets[asset_id].append(fact)
    return of_assets
