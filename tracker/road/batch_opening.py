"""The opening of a batch's transaction, in a single wait for the database.

The assets are locked, then the revisions are read, then the facts are inserted. If the revisions
show that the memory was out of date, the transaction is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from core.statements import pipelined
from positions import store
from positions.store import SentFacts, StateRow
from tracker.road.batch import Batch
from tracker.road.revisions import (
    Revisions,
    current_revisions,
    fetch_revisions,
    send_revisions_query,
)


class OpenedBatch(Struct, frozen=True):
    """Locked states of the assets, revisions that memory must equal, and the facts sent."""

    states: dict[int, StateRow]
    revisions: Revisions
    sent: SentFacts


def open_batch(batch: Batch) -> OpenedBatch:
    """Lock the states of the assets in id order, read the revisions, and send the facts."""
    asset_ids, organisation_ids = batch.asset_ids, batch.organisation_ids
    if batch.has_events:
        # Known events are not stored again; to find them takes a query, so no pipeline is used.
        states, revisions = _lock_and_read(asset_ids, organisation_ids)
        batch.decide_repeated_events()
        return OpenedBatch(states, revisions, batch.send_facts())
    with pipelined():
        locking = store.send_lock_states(asset_ids)
        looking = send_revisions_query(organisation_ids)
        sent = batch.send_facts()
    states, revisions = store.fetch_states(locking), fetch_revisions(looking)
    if len(states) < len(asset_ids):
        # Some states do not exist yet. Start over, since the order counts.
        states, revisions = _lock_and_read(asset_ids, organisation_ids)
    return OpenedBatch(states, revisions, sent)


def _lock_and_read(
    asset_ids: Iterable[int], organisation_ids: Iterable[int]
) -> tuple[dict[int, StateRow], Revisions]:
    return store.lock_states(asset_ids), current_revisions(organisation_ids)
