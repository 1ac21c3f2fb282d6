"""A batch on its way: whose each observation is, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from assets.device_registry import DeviceEntry, Registry
from core.errors import Fault, NotYourDevice, Unavailable
from core.observation import Observation
from positions import event_ids, store
from positions.event_ids import SenderEvent
from positions.store import CompletedFact, SentFacts, StoredFacts
from positions.stored_fact import Fact, Identity, fact_of
from tracker.road.delivery import Delivery, Outcome, Receipt, receipt_of, refused_outcomes
from uplinks.books import Counts, SetAsideUplink, TokenMisuse

Kind = TypeVar("Kind", Fact, CompletedFact)


class Stale(Unavailable):
    """The registry changed while devices were looked up."""


class Item(Struct, gc=False):
    """An observation of the batch. `outcome` is set once its fate is known."""

    delivery: Delivery
    index: int
    observation: Observation
    device: DeviceEntry | None
    asset_id: int | None = None
    fact: Fact | None = None
    event: SenderEvent | None = None
    outcome: Outcome | None = None


class Batch:
    """Deliveries with their observations resolved to devices and assets."""

    def __init__(self, deliveries: Sequence[Delivery], items: list[Item]) -> None:
        self.deliveries = deliveries
        self.items = items
        self._receipts: list[Receipt] | None = None

    @classmethod
    def resolve(cls, deliveries: Sequence[Delivery], registry: Registry) -> Batch:
        """Look up the device and the asset of each observation, in memory."""
        items = [
            _resolved(delivery, index, observation, registry)
            for delivery in deliveries
            for index, observation in zip(delivery.indexes, delivery.observations, strict=True)
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
        """Return the asset of each fact, by the fact's identity, where there is one."""
        return {
            item.fact.identity: item.asset_id
            for item in self.items
            if item.fact and item.asset_id is not None
        }

    def recall_events(self) -> None:
        """Decide repeats that are known by their sender's own name."""
        named = [item for item in self._open() if item.event]
        known = event_ids.known_events([item.event for item in named if item.event])
        for item in named:
            assert item.event is not None, "only named items are here"
            # The first to claim a name gets its own event back; whoever else, the claimed one.
            first = known.setdefault(item.event.key, item.event)
            if first.digest != item.event.digest:
                item.outcome = _reused(item)
            elif first is not item.event:
                first_key = first.device_id, first.measured_at
                item.outcome = Outcome(item.index, "duplicate", position=first_key)

    @property
    def has_events(self) -> bool:
        """Whether some of it may be known by its sender's own name."""
        return any(item.event for item in self.items)

    def send_facts(self) -> SentFacts:
        """Ask for all that is still open to be stored."""
        return store.send_facts(item.fact for item in self._open() if item.fact)

    def stored(self, storing: SentFacts) -> StoredFacts:
        """Decide, of what was open, what is new and what repeated."""
        stored = store.finish_storing(storing)
        fresh = set(stored.new)
        open_items = self._open()
        for item in open_items:
            assert item.fact is not None, "an open item has a device"
            identity = item.fact.identity
            if identity in fresh:
                fresh.discard(identity)
                item.outcome = Outcome(item.index, "stored")
            else:
                item.outcome = Outcome(item.index, "duplicate", position=identity[:2])
        event_ids.store_events([item.event for item in open_items if item.event])
        return stored

    def receipts(self) -> list[Receipt]:
        """Return a receipt for each delivery, in order. Asked when every fate is known."""
        if self._receipts is None:
            self._receipts = self._made_receipts()
        return self._receipts

    def _made_receipts(self) -> list[Receipt]:
        outcomes: dict[int, list[Outcome]] = defaultdict(list)
        for item in self.items:
            assert item.outcome is not None, "every fate is known by now"
            outcomes[id(item.delivery)].append(item.outcome)
        return [receipt_of(delivery, outcomes[id(delivery)]) for delivery in self.deliveries]

    def counts(self) -> dict[int, Counts]:
        """Return what to add to the books, by source."""
        counts: dict[int, Counts] = {}
        for delivery, receipt in zip(self.deliveries, self.receipts(), strict=True):
            if delivery.source_id is not None:
                book = counts.setdefault(delivery.source_id, Counts())
                for outcome in receipt.outcomes:
                    _enter(book, outcome)
        return counts

    def asides(self) -> list[SetAsideUplink]:
        """Return the uplinks to be kept, once for each reason and device."""
        kept: dict[tuple[int, str, str], SetAsideUplink] = {}
        for delivery, outcome, identifier, detail in self._set_aside():
            if delivery.source_id is None or delivery.uplink is None:
                continue
            key = (id(delivery), outcome.code, identifier)
            former = kept.get(key)
            kept[key] = _aside(delivery, outcome, identifier, detail, former)
        return list(kept.values())

    def misused(self) -> list[TokenMisuse]:
        """Return what came under the token of another device (fault F-029)."""
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
        """Name the facts of one asset in the batch, for corrections that they make."""
        facts = [item.fact for item in self.items if item.fact and item.asset_id == asset_id]
        return {
            "kind": "observations",
            "devices": sorted({fact.device_id for fact in facts}),
            "measured_at": sorted({fact.measured_at.isoformat() for fact in facts})[:20],
        }

    def _open(self) -> list[Item]:
        return [item for item in self.items if item.outcome is None]

    def _set_aside(self) -> Iterable[tuple[Delivery, Outcome, str, str]]:
        for item in self.items:
            # Only what is kept with its bytes can be.
            if item.delivery.uplink and item.outcome and item.outcome.disposition == "set-aside":
                yield item.delivery, item.outcome, item.observation.device, ""
        for delivery in self.deliveries:
            for outcome in refused_outcomes(delivery):
                if outcome.disposition == "set-aside":
                    yield delivery, outcome, "", _detail(delivery, outcome)


def _resolved(delivery: Delivery, index: int, observation: Observation, registry: Registry) -> Item:
    device = registry.device(delivery.organisation_id, observation.device)
    item = Item(delivery, index, observation, device)
    if delivery.device_id is not None and (device is None or device.id != delivery.device_id):
        detail = "the token belongs to another device"
        item.outcome = _refused(item, NotYourDevice.code, detail)
    elif device is None:
        item.outcome = _unknown(item)
    else:
        item.fact = fact_of(observation, device_id=device.id, received_at=delivery.received_at)
        item.asset_id = device.asset_at(item.fact.at_us)
        item.event = event_ids.event_of(observation, device.id)
    return item


def _unknown(item: Item) -> Outcome:
    if item.delivery.source_id is None:
        return _refused(item, "not-found", "there is no such device")
    return Outcome(item.index, "set-aside", "unknown-device")


def _reused(item: Item) -> Outcome:
    if item.delivery.is_lenient:
        return Outcome(item.index, "set-aside", "event-id-reused")
    return _refused(item, "event-id-reused", "this event id came with other content before")


def _refused(item: Item, code: str, detail: str) -> Outcome:
    is_alone = len(item.delivery.observations) + len(item.delivery.refusals) == 1
    member = "event_id" if code == "event-id-reused" else "device"
    pointer = f"/{member}" if is_alone else f"/{item.index}/{member}"
    return Outcome(item.index, "refused", code, (Fault(pointer=pointer, code=code, detail=detail),))


def _enter(book: Counts, outcome: Outcome) -> None:
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
            raise AssertionError("what goes down the road is no longer spooled")


def _detail(delivery: Delivery, outcome: Outcome) -> str:
    if outcome.faults:
        return "; ".join(f"{fault.pointer}: {fault.detail}" for fault in outcome.faults)
    return (delivery.set_aside or "").partition(":")[2].strip()


def _aside(
    delivery: Delivery,
    outcome: Outcome,
    identifier: str,
    detail: str,
    former: SetAsideUplink | None,
) -> SetAsideUplink:
    uplink = delivery.uplink
    assert uplink is not None, "asked for only where it was kept"
    assert delivery.source_id is not None, "asked for only where there is a source"
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


def by_asset(batch: Batch, stored: Mapping[Identity, Kind]) -> dict[int, list[Kind]]:
    """Return those of what was stored that belong to assets, by asset."""
    asset_of = batch.asset_of
    of_assets: dict[int, list[Kind]] = defaultdict(list)
    for identity, each in stored.items():
        asset_id = asset_of.get(identity)
        if asset_id is not None:
            of_assets[asset_id].append(each)
    return of_assets
