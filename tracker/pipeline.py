"""The road written down: what happens to a batch of observations, a line a step.

Every door ends here. All steps up to the commit share one transaction with a constant
number of statements; live frames and nudges go out after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from alerts.changes import Raised
from alerts.judging import judge as judge_rules
from alerts.nudging import nudge
from assets.actions import register_unknown_device
from assets.registry import Registry, registry
from billing.metering import meter, remeter
from core import broadcast
from core.errors import Unavailable
from core.statements import together
from geofence.changes import CrossingChange
from geofence.judging import judge_assets
from geofence.ledger import record
from geofence.zones import zones
from positions import history, store
from positions.store import StateRow
from tracker.road.batch import Batch, Stale, facts_by_asset
from tracker.road.delivery import Delivery, Receipt
from tracker.road.frames import frames_of
from tracker.road.judged import (
    anew,
    leave_the_rest,
    metered,
    move_states,
    pending_assets,
    remade_state,
    settled_until,
)
from tracker.road.opening import lock_look_and_store
from tracker.road.revisions import Revisions
from uplinks import books

MAX_TRIES = 5


def receive(deliveries: Sequence[Delivery]) -> list[Receipt]:
    """Take deliveries down the road; return a receipt for each, in order, once all is durable.

    Raises `Unavailable` or a database error when nothing was stored; then the same deliveries
    may be given again, since what was stored already is known by its key.
    """
    register_unknown_devices(deliveries)
    for _ in range(MAX_TRIES):
        try:
            return take(deliveries)
        except Stale:
            # A device, assignment or source changed while we looked it up. Look again.
            registry.refresh()
    raise Unavailable("devices are being changed; try again")


def take(deliveries: Sequence[Delivery]) -> list[Receipt]:
    """The steps. Raises `Stale` when the registry was not up to date."""
    now = timezone.now()
    batch = Batch.resolve(deliveries, registry)
    with transaction.atomic():
        opened = lock_look_and_store(batch)
        states, revisions = opened.states, opened.revisions
        require_current(registry, revisions)
        stored = batch.stored(opened.storing)
        new, changed = facts_by_asset(batch, stored.new), facts_by_asset(batch, stored.changed)
        indexes = zones.indexes(revisions.geofences)
        verdicts = judge_assets(pending_assets(new, changed, states, indexes))
        crossings = record(verdicts, now=now, cause_of=batch.cause_of)
        leave_the_rest(verdicts)
        to_save, moved = move_states(states, (new, changed), verdicts)
        with together():
            store.save_states(to_save)
            history.save_checkpoints([c for verdict in verdicts for c in verdict.checkpoints])
            meter(metered(new), revision=revisions.registry)
            books.set_aside(batch.asides())
            books.remember_misuse(batch.misused())
            books.count(batch.counts())
        # Last, since alerts are numbered under one lock for all.
        alerts = judge_rules(crossings, now=now)
        tell_after_commit(moved, crossings, alerts)
    return batch.receipts()


def tell_after_commit(
    moved: Sequence[StateRow], crossings: Sequence[CrossingChange], alerts: Sequence[Raised]
) -> None:
    """Send live frames and nudge the senders once all is committed, and not if it is not."""
    frames = frames_of(moved, crossings, alerts)
    notifications = [number for alert in alerts for number in alert.notification_ids]
    transaction.on_commit(partial(broadcast.publish, frames))
    transaction.on_commit(partial(nudge, notifications))


def require_current(registry: Registry, revisions: Revisions) -> None:
    """Raise `Stale` unless devices were resolved by what this transaction sees."""
    if registry.revision != revisions.registry:
        raise Stale


def judge_again(
    asset_id: int, *, since: datetime, cause: dict[str, Any], is_history_moved: bool
) -> datetime | None:
    """Judge an asset anew from `since` on, after people changed a fact, and record the difference.

    Returns from where to go on where its history is too long for one transaction. With
    `is_history_moved` its latest state and its usage are made anew, too.
    """
    now = timezone.now()
    with transaction.atomic():
        states = store.lock_states([asset_id])
        pending = anew(states[asset_id], since, zones)
        verdicts = judge_assets([pending])
        crossings = record(verdicts, now=now, cause_of=lambda _: cause)
        to_save, _ = move_states(states, (), verdicts)
        if is_history_moved:
            to_save = [remade_state(states[asset_id])]
            remeter(asset_id, since, history.hours(asset_id, since))
        store.save_states(to_save)
        history.save_checkpoints([c for verdict in verdicts for c in verdict.checkpoints])
        alerts = judge_rules(crossings, now=now)
        tell_after_commit(to_save if is_history_moved else (), crossings, alerts)
    return settled_until(verdicts[0])


def register_unknown_devices(deliveries: Sequence[Delivery]) -> None:
    """Register what sources with that policy name for the first time."""
    unknown = {
        (delivery.organisation_id, observation.device)
        for delivery in deliveries
        if delivery.registers_devices
        for observation in delivery.observations
        if registry.device(delivery.organisation_id, observation.device) is None
    }
    for organisation_id, identifier in sorted(unknown):
        register_unknown_device(organisation_id=organisation_id, identifier=identifier)
    if unknown:
        registry.refresh()
