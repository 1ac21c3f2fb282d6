"""Steps of the road around judging: the facts to judge, and the updates of latest states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from core.fact_order import FactKey
from core.observation import instant, microseconds
from core.occurrence import OccurrenceChange
from judging.ledgers import CauseOf
from judging.machine import AssetVerdict, PendingAsset
from judging.motion import MotionFold, MotionState
from positions import history
from positions.actions import ask_for_rejudging, is_rejudging_pending
from positions.deciding_fixes import judged_fact_of
from positions.latest_state import move_forward
from positions.store import CompletedFact, StateRow, newest_facts
from positions.stored_fact import Fact
from tracker.road.interval_ledger import RecordedInterval
from tracker.road.revisions import Revisions
from tracker.road.road_memory import RoadMemory

Facts = Mapping[int, Sequence[Fact]]
# The recorded differences by the name of the fold.
Changes = dict[str, Sequence[Any]]


def pending_assets(
    new: Facts,
    completed: Mapping[int, Sequence[CompletedFact]],
    states: Mapping[int, StateRow],
    memory: RoadMemory,
    revisions: Revisions,
) -> list[PendingAsset]:
    """Return the assets with facts to be judged, in id order."""
    machine = memory.machine
    touched = sorted({*new, *completed})
    contexts = contexts_of({a: states[a].organisation_id for a in touched}, memory, revisions)
    pending = []
    for asset_id in touched:
        facts = [
            judged
            for fact in new.get(asset_id, ())
            if (judged := judged_fact_of(fact, with_readings=machine.needs_readings))
            and machine.looks_at(judged)
        ]
        changed = _changed_keys(completed.get(asset_id, ()))
        if facts or changed:
            pending.append(
                PendingAsset(
                    asset_id=asset_id,
                    organisation_id=states[asset_id].organisation_id,
                    head=states[asset_id].judged,
                    contexts=contexts[asset_id],
                    facts=facts,
                    changed=changed,
                )
            )
    return pending


def present_facts(completed: Mapping[int, Sequence[CompletedFact]]) -> Facts:
    return {asset_id: [fact.present for fact in facts] for asset_id, facts in completed.items()}


def _changed_keys(completed: Iterable[CompletedFact]) -> list[FactKey]:
    """Return the former and present keys of facts that a second copy completed."""
    return [key for fact in completed for key in {fact.former.key, fact.present.key}]


def contexts_of(
    assets: Mapping[int, int], memory: RoadMemory, revisions: Revisions
) -> dict[int, dict[str, Any]]:
    """Return the contexts of each asset by fold; `assets` maps assets to their organisations."""
    contexts: dict[int, dict[str, Any]] = {asset_id: {} for asset_id in assets}
    for ledger in memory.ledgers:
        for asset_id, context in ledger.contexts(assets, revisions.by_name).items():
            contexts[asset_id][ledger.fold.name] = context
    return contexts


def pending_rejudging(
    state: StateRow, memory: RoadMemory, revisions: Revisions, *, since: datetime | None
) -> PendingAsset:
    """Return the asset with all facts since then to be judged again.

    With None only deadlines that have passed without a further fact are judged.
    """
    contexts = contexts_of({state.asset_id: state.organisation_id}, memory, revisions)
    return PendingAsset(
        asset_id=state.asset_id,
        organisation_id=state.organisation_id,
        head=state.judged,
        contexts=contexts[state.asset_id],
        since_us=None if since is None else microseconds(since),
    )


def judge_and_record(
    pending: Sequence[PendingAsset], memory: RoadMemory, *, now: datetime, cause_of: CauseOf
) -> tuple[list[AssetVerdict], Changes]:
    """Run all folds over the pending assets, and record the differences that each fold made."""
    machine = memory.machine
    load = partial(history.stretches, with_readings=machine.needs_readings)
    verdicts = machine.judge(pending, load, now_us=microseconds(now))
    changes = {
        ledger.fold.name: ledger.record(verdicts, now=now, cause_of=cause_of)
        for ledger in memory.ledgers
    }
    return verdicts, changes


def changed_occurrences(changes: Changes, memory: RoadMemory) -> list[OccurrenceChange]:
    """Return the changes of all folds in the form for rules."""
    return [
        change
        for ledger in memory.ledgers
        for change in ledger.occurrences(changes[ledger.fold.name])
    ]


def standing_occurrences(
    asset_id: int, since: datetime, memory: RoadMemory
) -> list[OccurrenceChange]:
    """Return all standing occurrences of an asset since then, for rules to judge again."""
    return [
        occurrence for ledger in memory.ledgers for occurrence in ledger.standing(asset_id, since)
    ]


def settled_until(verdict: AssetVerdict) -> datetime | None:
    """Return the moment from which judging must continue, if it stopped early."""
    return None if verdict.settled_us is None else instant(verdict.settled_us)


def ask_for_remaining_rejudging(verdicts: Iterable[AssetVerdict]) -> None:
    """Let the background judge histories that are too long for the transaction of a batch."""
    for verdict in verdicts:
        asset = verdict.pending
        since = settled_until(verdict)
        if since is None or is_rejudging_pending(
            organisation_id=asset.organisation_id, asset_id=asset.asset_id, since=since
        ):
            continue
        ask_for_rejudging(
            organisation_id=asset.organisation_id,
            since=since,
            reason="late observations",
            asset_ids=[asset.asset_id],
        )


def rebuilt_state(state: StateRow) -> StateRow:
    """Return the latest state computed from the asset's history; fold states are kept."""
    fresh = StateRow(
        asset_id=state.asset_id,
        organisation_id=state.organisation_id,
        motion=state.motion,
        motion_since=state.motion_since,
        estimated_speed_mps=state.estimated_speed_mps,
        asks_at=state.asks_at,
        judged=state.judged,
    )
    move_forward(fresh, newest_facts(state.asset_id))
    return fresh


def move_states(
    states: Mapping[int, StateRow],
    facts: Iterable[Facts],
    verdicts: Iterable[AssetVerdict],
    changes: Changes,
    memory: RoadMemory,
) -> tuple[list[StateRow], list[StateRow]]:
    """Update the latest states; return the states to save, and of them the visibly changed."""
    moved = {
        asset_id
        for by_asset in facts
        for asset_id, of_asset in by_asset.items()
        if move_forward(states[asset_id], of_asset)
    }
    judged = _take_heads(states, verdicts, memory)
    moved |= _take_motion(states, verdicts, changes)
    return [states[a] for a in sorted(judged | moved)], [states[a] for a in sorted(moved)]


def _take_heads(
    states: Mapping[int, StateRow], verdicts: Iterable[AssetVerdict], memory: RoadMemory
) -> set[int]:
    machine, taken = memory.machine, set()
    for verdict in verdicts:
        if verdict.head is None:
            continue
        state = states[verdict.pending.asset_id]
        state.judged = machine.bytes_of(verdict.head)
        asks_at_us = machine.asks_at_us(verdict.head)
        state.asks_at = None if asks_at_us is None else instant(asks_at_us)
        taken.add(state.asset_id)
    return taken


def _take_motion(
    states: Mapping[int, StateRow], verdicts: Iterable[AssetVerdict], changes: Changes
) -> set[int]:
    """Copy motion, its beginning and speed into the states; return the ids of changed states."""
    taken = set()
    for verdict in verdicts:
        if verdict.head is None:
            continue
        state = states[verdict.pending.asset_id]
        head: MotionState = verdict.head.states[MotionFold.name]
        is_reported = head.last is not None and head.last.speed_mps is not None
        speed_mps = None if is_reported else head.speed_mps
        if (state.motion, state.estimated_speed_mps) != (head.motion, speed_mps):
            state.motion, state.estimated_speed_mps = head.motion, speed_mps
            taken.add(state.asset_id)
        if head.motion == "unknown":
            state.motion_since = None
    intervals: Sequence[RecordedInterval] = changes[MotionFold.name]
    for change in intervals:
        present = change.present
        if present is not None and present.end_us is None:
            states[change.asset_id].motion_since = instant(present.begin_us)
            taken.add(change.asset_id)
    return taken


def metered_moments(new: Facts) -> list[tuple[int, int]]:
    """Return (asset id, µs since 1970) of facts that count as usage: new and plausible."""
    return [
        (asset_id, fact.at_us)
        for asset_id, facts in new.items()
        for fact in facts
        if not fact.is_clock_suspect
    ]
