"""The first thing in the transaction of a batch: its assets locked, then what memory must equal."""

from __future__ import annotations

from collections.abc import Iterable

from tracker.positions import store
from tracker.positions.store import StateRow
from tracker.road.revisions import Revisions, ask_for_revisions, current_revisions, revisions_of
from tracker.statements import together


def lock_and_look(
    asset_ids: Iterable[int], organisation_ids: Iterable[int]
) -> tuple[dict[int, StateRow], Revisions]:
    """Lock the states of the assets in id order; then read the revisions. One wait for both."""
    with together():
        locking = store.ask_for_states(asset_ids)
        looking = ask_for_revisions(organisation_ids)
    states, revisions = store.states_of(locking), revisions_of(looking)
    if len(states) < len(set(asset_ids)):
        # Some were never made. Again from the beginning, since the order counts.
        return store.lock_states(asset_ids), current_revisions(organisation_ids)
    return states, revisions
