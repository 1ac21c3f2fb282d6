"""The first thing in the transaction of a batch, in one wait for the database.

Its assets are locked, then it is read what memory must equal, then its facts are stored.
What turns out to have been resolved by an older memory is rolled back with all else.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from core.statements import pipelined
from positions import store
from positions.store import SentFacts, StateRow
from tracker.road.batch import Batch
from tracker.road.revisions import Revisions, ask_for_revisions, current_revisions, revisions_of


class Opened(Struct, frozen=True):
    """States of the assets, locked; what memory must equal; the facts on their way."""

    states: dict[int, StateRow]
    revisions: Revisions
    storing: SentFacts


def lock_look_and_store(batch: Batch) -> Opened:
    """Lock the states of the assets in id order, read the revisions, and begin to store."""
    asset_ids, organisation_ids = batch.asset_ids, batch.organisation_ids
    if batch.has_events:
        # What is known by its name is not stored again, and to know it takes a question.
        states, revisions = _locked_and_looked(asset_ids, organisation_ids)
        batch.recall_events()
        return Opened(states, revisions, batch.send_facts())
    with pipelined():
        locking = store.send_lock_states(asset_ids)
        looking = ask_for_revisions(organisation_ids)
        storing = batch.send_facts()
    states, revisions = store.fetch_states(locking), revisions_of(looking)
    if len(states) < len(asset_ids):
        # Some were never made. Again from the beginning, since the order counts.
        states, revisions = _locked_and_looked(asset_ids, organisation_ids)
    return Opened(states, revisions, storing)


def _locked_and_looked(
    asset_ids: Iterable[int], organisation_ids: Iterable[int]
) -> tuple[dict[int, StateRow], Revisions]:
    return store.lock_states(asset_ids), current_revisions(organisation_ids)
