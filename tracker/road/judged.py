"""Between memory and judging: which facts judging sees, and what it leaves in the states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from core.observation import instant, microseconds
from geofence.crossings import Mark, Scope, bytes_of
from geofence.judging import Pending, Verdict
from geofence.zone_index import ZoneIndex
from geofence.zones import ZoneStore
from positions.actions import ask_for_rejudging, is_asked_for
from positions.facts import Fact
from positions.latest_state import move_forward
from positions.store import StateRow, newest_facts, tags_of
from tracker.road.revisions import current_revisions

Facts = Mapping[int, Sequence[Fact]]


def mark_of(fact: Fact) -> Mark | None:
    """Return the fix as judging sees it; None where it may not decide anything.

    A doubted clock is not judged (fault F-043), and an estimate from gateways is unsure
    everywhere.
    """
    fix = fact.fix
    if fix is None or fix.method == "gateway" or fact.is_clock_suspect:
        return None
    return Mark(
        fact.at_us,
        fact.device_id,
        fix.lon_deg,
        fix.lat_deg,
        fix.accuracy_m or 0.0,
        fix.altitude_m,
    )


def pending_assets(
    new: Facts, changed: Facts, states: Mapping[int, StateRow], indexes: Mapping[int, ZoneIndex]
) -> list[Pending]:
    """Return the assets that have something to be judged, in id order."""
    pending = []
    scope_of = _scopes({*new, *changed}, states, indexes)
    for asset_id in sorted({*new, *changed}):
        state = states[asset_id]
        marks = [mark for fact in new.get(asset_id, ()) if (mark := mark_of(fact))]
        keys = [(fact.at_us, fact.device_id) for fact in changed.get(asset_id, ())]
        if marks or keys:
            pending.append(
                Pending(
                    asset_id=asset_id,
                    organisation_id=state.organisation_id,
                    head=state.fold,
                    index=indexes[state.organisation_id],
                    scope=scope_of[asset_id],
                    marks=marks,
                    changed=keys,
                )
            )
    return pending


def _scopes(
    asset_ids: Iterable[int], states: Mapping[int, StateRow], indexes: Mapping[int, ZoneIndex]
) -> dict[int, Scope]:
    """Return what zones linked to some assets must know; asks for tags only where they count."""
    asset_ids = list(asset_ids)
    tagged = [a for a in asset_ids if indexes[states[a].organisation_id].uses_tags]
    tags = tags_of(tagged) if tagged else {}
    return {asset_id: Scope(asset_id, tags.get(asset_id, frozenset())) for asset_id in asset_ids}


def anew(state: StateRow, since: datetime, zones: ZoneStore) -> Pending:
    """Return the asset with all that it did since then, to be judged anew."""
    revisions = current_revisions([state.organisation_id])
    indexes = zones.indexes(revisions.geofences)
    return Pending(
        asset_id=state.asset_id,
        organisation_id=state.organisation_id,
        head=state.fold,
        index=indexes[state.organisation_id],
        scope=_scopes([state.asset_id], {state.asset_id: state}, indexes)[state.asset_id],
        since_us=microseconds(since),
    )


def settled_until(verdict: Verdict) -> datetime | None:
    """Return from where the asset is still to be judged, if judging stopped on its way."""
    return None if verdict.settled_us is None else instant(verdict.settled_us)


def leave_the_rest(verdicts: Iterable[Verdict]) -> None:
    """Ask for what is too long for the transaction of a batch to be judged in the background."""
    for verdict in verdicts:
        asset = verdict.pending
        since = settled_until(verdict)
        if since is None or is_asked_for(
            organisation_id=asset.organisation_id, asset_id=asset.asset_id, since=since
        ):
            continue
        ask_for_rejudging(
            organisation_id=asset.organisation_id,
            since=since,
            reason="late observations",
            asset_ids=[asset.asset_id],
        )


def remade_state(state: StateRow) -> StateRow:
    """Return the state as the asset's history now makes it; the fold stays."""
    fresh = StateRow(
        asset_id=state.asset_id,
        organisation_id=state.organisation_id,
        fold=state.fold,
    )
    move_forward(fresh, newest_facts(state.asset_id))
    return fresh


def move_states(
    states: Mapping[int, StateRow], facts: Iterable[Facts], verdicts: Iterable[Verdict]
) -> tuple[list[StateRow], list[StateRow]]:
    """Bring the states up to date; return those to be saved and, of them, those that moved."""
    folded = set()
    for verdict in verdicts:
        if verdict.head is not None:
            states[verdict.pending.asset_id].fold = bytes_of(verdict.head)
            folded.add(verdict.pending.asset_id)
    moved = [
        asset_id
        for by_asset in facts
        for asset_id, each in by_asset.items()
        if move_forward(states[asset_id], each)
    ]
    touched = sorted(folded.union(moved))
    return [states[asset_id] for asset_id in touched], [states[a] for a in sorted(set(moved))]


def metered(new: Facts) -> list[tuple[int, int]]:
    """Return (asset id, µs since 1970) of what counts as usage: new and plausible."""
    return [
        (asset_id, fact.at_us)
        for asset_id, facts in new.items()
        for fact in facts
        if not fact.is_clock_suspect
    ]
