"""The road: the steps of a batch of observations, one line each.

Every door ends here. All steps up to the commit share a transaction with a constant
number of statements; live frames and nudges go out after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from alerts.changed_alerts import ChangedAlert
from alerts.rule_judging import judge_rules
from assets.actions import register_unknown_device
from billing.metering import meter, remeter
from core import broadcast
from core.errors import Unavailable
from core.occurrence import OccurrenceChange
from core.statements import pipelined
from geofence.crossing_changes import CrossingChange
from outbox.nudging import nudge
from positions import history, store
from positions.store import StateRow
from tracker.road.batch import Batch, StaleRegistry, by_asset
from tracker.road.batch_frames import frames_of
from tracker.road.batch_opening import open_batch
from tracker.road.delivery import Delivery, Receipt
from tracker.road.judging_steps import (
    Changes,
    ask_for_remaining_rejudging,
    changed_occurrences,
    judge_and_record,
    metered_moments,
    move_states,
    pending_assets,
    pending_rejudging,
    present_facts,
    rebuilt_state,
    settled_until,
    standing_occurrences,
)
from tracker.road.revisions import Revisions, current_revisions
from tracker.road.road_memory import RoadMemory
from uplinks import books

MAX_TRIES = 5


def receive(deliveries: Sequence[Delivery], memory: RoadMemory) -> list[Receipt]:
    """Take deliveries down the road; return their receipts, in order, once all is durable.

    Raises `Unavailable` or a database error if nothing was stored; then the same deliveries
    may be given again, since facts stored already are recognised by their keys.
    """
    register_unknown_devices(deliveries, memory)
    for _ in range(MAX_TRIES):
        try:
            return store_and_judge(deliveries, memory)
        except StaleRegistry:
            # A device, assignment or source changed during the look-up. Look up again.
            memory.registry.refresh()
    raise Unavailable("devices are being changed; try again")


def store_and_judge(deliveries: Sequence[Delivery], memory: RoadMemory) -> list[Receipt]:
    """Run the steps once. Raises `StaleRegistry` if the registry was not up to date."""
    now = timezone.now()
    batch = Batch.resolve(deliveries, memory.registry)
    with transaction.atomic():
        opened = open_batch(batch)
        states, revisions = opened.states, opened.revisions
        require_current(memory, revisions)
        stored = batch.finish_storing(opened.sent)
        new, completed = by_asset(batch, stored.new), by_asset(batch, stored.completed)
        pending = pending_assets(new, completed, states, memory, revisions)
        verdicts, changes = judge_and_record(pending, memory, now=now, cause_of=batch.cause_of)
        ask_for_remaining_rejudging(verdicts)
        facts = (new, present_facts(completed))
        to_save, moved = move_states(states, facts, verdicts, changes, memory)
        with pipelined():
            store.save_states(to_save)
            history.save_checkpoints([c for verdict in verdicts for c in verdict.checkpoints])
            meter(metered_moments(new), memory.known_hours, revision=revisions.registry)
            books.set_aside(batch.uplinks_to_set_aside())
            books.record_misuse(batch.token_misuses())
            books.count(batch.counts())
        alert_and_publish(moved, changes, memory, now=now)
    return batch.receipts()


def judge_again(
    asset_id: int,
    memory: RoadMemory,
    *,
    since: datetime | None,
    cause: dict[str, Any],
    is_history_moved: bool = False,
    is_scope_changed: bool = False,
    now: datetime | None = None,
) -> datetime | None:
    """Judge an asset again from `since` on, after people changed a fact; record the difference.

    With None, only deadlines that have passed are judged. Returns the moment from which to
    continue if its history is too long for one transaction, otherwise None. With
    `is_history_moved` its latest state and usage are computed again, too; with `is_scope_changed`
    rules judge all its occurrences since then again.
    """
    now = now or timezone.now()
    with transaction.atomic():
        states = store.lock_states([asset_id])
        if asset_id not in states:
            return None
        revisions = current_revisions([states[asset_id].organisation_id])
        pending = pending_rejudging(states[asset_id], memory, revisions, since=since)
        verdicts, changes = judge_and_record([pending], memory, now=now, cause_of=lambda _: cause)
        to_save, moved = move_states(states, (), verdicts, changes, memory)
        if is_history_moved and since is not None:
            to_save = moved = [rebuilt_state(states[asset_id])]
            remeter(asset_id, since, history.hours(asset_id, since))
        store.save_states(to_save)
        history.save_checkpoints([c for verdict in verdicts for c in verdict.checkpoints])
        unchanged = []
        if is_scope_changed and since is not None:
            unchanged = standing_occurrences(asset_id, since, memory)
        alert_and_publish(moved, changes, memory, now=now, unchanged=unchanged)
    return settled_until(verdicts[0])


def alert_and_publish(
    moved: Sequence[StateRow],
    changes: Changes,
    memory: RoadMemory,
    *,
    now: datetime,
    unchanged: Sequence[OccurrenceChange] = (),
) -> None:
    """Raise and correct alerts; publish frames and nudge senders once all is committed.

    Last in the transaction, since alerts are numbered under one lock for all.
    """
    crossings: Sequence[CrossingChange] = changes["crossings"]
    occurrences = [*unchanged, *changed_occurrences(changes, memory)]
    alerts: Sequence[ChangedAlert] = judge_rules(occurrences, now=now)
    frames = frames_of(moved, crossings, alerts)
    notifications = [number for alert in alerts for number in alert.notification_ids]
    transaction.on_commit(partial(broadcast.publish, frames))
    transaction.on_commit(partial(nudge, notifications))


def require_current(memory: RoadMemory, revisions: Revisions) -> None:
    """Raise `StaleRegistry` unless the registry is at the revision that this transaction sees."""
    if memory.registry.revision != revisions.registry:
        raise StaleRegistry


def register_unknown_devices(deliveries: Sequence[Delivery], memory: RoadMemory) -> None:
    """Register new devices named by sources with that policy."""
    registry = memory.registry
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
