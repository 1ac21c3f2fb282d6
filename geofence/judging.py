"""Judging a batch: in order where facts came in order, and again from a checkpoint where late.

Late facts are folded in from the last state known before them, until the new states
meet the recorded ones; what that changes is worked out by `differences`. The cost is that
of a few stretches between checkpoints, however long the history. Where the states do not
meet for long, judging stops after a while and says from where it must go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from itertools import chain, islice, pairwise

import numpy as np
from msgspec import Struct

from geofence.crossings import Fold, Found, Mark, Scope, bytes_of, fold_of, in_order, judge
from geofence.zone import FAR_FUTURE_US
from geofence.zone_index import Contact, FixColumns, ZoneIndex, columns_of
from positions.history import (
    FixRow,
    Key,
    NewCheckpoint,
    SavedFold,
    Stretch,
    Wanted,
    stretches,
)

# Between two checkpoints. More make late facts cheaper and history larger.
CHECKPOINT_EVERY = 200
# Fixes judged again at once, so that nobody waits long for the lock on an asset.
FIXES_AT_ONCE = 20_000
# How far a crossing may move and still be the same one.
REACH_US = 12 * 3600 * 1_000_000


class Pending(Struct, frozen=True, kw_only=True):
    """An asset with facts to be judged: new fixes, and keys at which stored ones changed.

    With `since_us`, all after that is judged anew.
    """

    asset_id: int
    organisation_id: int
    head: bytes
    index: ZoneIndex
    scope: Scope
    marks: Sequence[Mark] = ()
    changed: Sequence[Key] = ()
    since_us: int | None = None


class Window(Struct, frozen=True):
    """A run of history that was judged again: after `low`, up to `high`; None is open."""

    low: Key | None
    high: Key | None


class Verdict(Struct, kw_only=True):
    """What judging an asset came to. `windows` are empty where all came in order.

    `head` is None where the newest state stands as it was. With `settled_us`, judging stopped
    on its way: what became sure until then is settled for good, what became sure less than
    `REACH_US` later is found but may still be what an older crossing has become, and from
    there it must go on.
    """

    pending: Pending
    fixes: int = 0
    settled_us: int | None = None
    found: list[Found] = []
    windows: list[Window] = []
    checkpoints: list[NewCheckpoint] = []
    head: Fold | None = None
    former_last: Key | None = None


Steps = Generator[list[Wanted], list[Stretch], Verdict]
Met = tuple[Stretch, list[Mark], list[list[Contact]]]


def judge_assets(pending: Iterable[Pending]) -> list[Verdict]:
    """Judge each asset; loads what late ones need in rounds shared by all of them."""
    in_time, late = [], []
    for asset in pending:
        head = fold_of(asset.head)
        if _is_in_order(asset, head.last_key):
            in_time.append((asset, head))
        else:
            late.append(_judge_late(asset, head))
    return _judge_in_order(in_time) + _run_together(late)


def _is_in_order(asset: Pending, last: Key | None) -> bool:
    if asset.since_us is not None or asset.changed:
        return False
    return last is None or all(mark.key > last for mark in asset.marks)


def _judge_in_order(assets: Sequence[tuple[Pending, Fold]]) -> list[Verdict]:
    ordered = [_ordered(asset.marks) for asset, _ in assets]
    met = _contacts_by_index([asset for asset, _ in assets], ordered)
    done = dict.fromkeys(met, 0)
    verdicts = []
    for (asset, head), marks in zip(assets, ordered, strict=True):
        number = id(asset.index)
        start, done[number] = done[number], done[number] + len(marks)
        verdict = Verdict(pending=asset, former_last=head.last_key, head=head)
        _fold_on(verdict, head, marks, met[number][start : done[number]])
        verdicts.append(verdict)
    return verdicts


def _ordered(marks: Sequence[Mark]) -> Sequence[Mark]:
    return marks if len(marks) == 1 else in_order(marks)


def _contacts_by_index(
    assets: Sequence[Pending], ordered: Sequence[Sequence[Mark]]
) -> dict[int, list[list[Contact]]]:
    """Return the contacts of all marks in their order, asking each index once, by its `id`."""
    indexes = {id(asset.index): asset.index for asset in assets}
    marks_of: dict[int, list[Mark]] = {number: [] for number in indexes}
    for asset, marks in zip(assets, ordered, strict=True):
        marks_of[id(asset.index)] += marks
    return {
        number: index.contacts(columns_of(marks_of[number])) for number, index in indexes.items()
    }


def _fold_on(
    verdict: Verdict, fold: Fold, marks: Sequence[Mark], contacts: Sequence[list[Contact]]
) -> None:
    """Fold over `marks`, leaving a checkpoint each `CHECKPOINT_EVERY` fixes."""
    asset = verdict.pending
    if fold.since_checkpoint + len(marks) < CHECKPOINT_EVERY:
        verdict.found += judge(fold, marks, contacts, asset.index, asset.scope)
        return
    done = 0
    while done < len(marks):
        stop = done + max(CHECKPOINT_EVERY - fold.since_checkpoint, 1)
        found = judge(fold, marks[done:stop], contacts[done:stop], asset.index, asset.scope)
        verdict.found += found
        done = stop
        if fold.since_checkpoint >= CHECKPOINT_EVERY:
            assert fold.last_key is not None, "a fix was just folded in"
            _leave_checkpoint(verdict, fold, fold.last_key)


def _leave_checkpoint(verdict: Verdict, fold: Fold, key: Key) -> None:
    fold.since_checkpoint = 0
    asset_id = verdict.pending.asset_id
    verdict.checkpoints.append(NewCheckpoint(asset_id, key, bytes_of(fold)))


def _judge_late(asset: Pending, head: Fold) -> Steps:
    """Yield what must be loaded, get it sent, return the verdict."""
    verdict = Verdict(pending=asset, former_last=head.last_key)
    touched = yield _around(asset)
    queue = _met(asset.index, _without_repeats(touched))
    carried: Fold | None = None
    while queue:
        stretch, marks, contacts = queue.popleft()
        fold = carried or fold_of(stretch.low.fold if stretch.low else b"")
        _open_window(verdict, stretch, is_carried=carried is not None)
        _fold_on(verdict, fold, marks, contacts)
        verdict.fixes += len(marks)
        carried = _settled(verdict, fold, stretch.high)
        if carried is not None and _is_enough(verdict):
            return verdict
        if carried is not None and (not queue or _key(queue[0][0].low) != _key(stretch.high)):
            assert stretch.high is not None, "only a checkpoint is carried on from"
            more = yield [Wanted(asset.asset_id, stretch.high.key, is_next=True)]
            queue.extendleft(reversed(_met(asset.index, more)))
    return verdict


def _met(index: ZoneIndex, loaded: Sequence[Stretch]) -> deque[Met]:
    """Return the stretches with their marks and contacts, having asked the index once."""
    fixes = [*chain.from_iterable(stretch.fixes for stretch in loaded)]
    contacts = iter(index.contacts(_columns(fixes)))
    return deque(
        (stretch, _marks(stretch.fixes), [*islice(contacts, len(stretch.fixes))])
        for stretch in loaded
    )


def _around(asset: Pending) -> list[Wanted]:
    keys = sorted({*(mark.key for mark in asset.marks), *asset.changed})
    if asset.since_us is not None:
        keys = [(asset.since_us, -1)]
    return [Wanted(asset.asset_id, key) for key in keys]


def _without_repeats(touched: Sequence[Stretch]) -> list[Stretch]:
    """Several facts may lie in one stretch."""
    first = list(touched[:1])
    return first + [b for a, b in pairwise(touched) if _key(a.low) != _key(b.low)]


def _open_window(verdict: Verdict, stretch: Stretch, *, is_carried: bool) -> None:
    low, high = _key(stretch.low), _key(stretch.high)
    if is_carried:
        low = verdict.windows.pop().low
    verdict.windows.append(Window(low, high))


def _settled(verdict: Verdict, fold: Fold, high: SavedFold | None) -> Fold | None:
    """Compare with the recorded state at the end of a stretch; return what must be carried on."""
    if high is None:
        verdict.head = fold
        return None
    if verdict.pending.since_us is None and fold.meets(fold_of(high.fold)):
        return None
    # Also where the fix at that key has gone to another asset: the state after all before it.
    _leave_checkpoint(verdict, fold, high.key)
    return fold


def _is_enough(verdict: Verdict) -> bool:
    """Whether to stop for now: after many fixes, and far enough on for what moved to be paired."""
    first, last = verdict.windows[0], verdict.windows[-1]
    assert last.high is not None, "there is a checkpoint to go on from"
    start_us = verdict.pending.since_us
    if start_us is None:
        start_us = first.low[0] if first.low else -FAR_FUTURE_US
    if verdict.fixes < FIXES_AT_ONCE or last.high[0] - 3 * REACH_US < start_us:
        return False
    verdict.settled_us = last.high[0] - 2 * REACH_US
    return True


def _key(saved: SavedFold | None) -> Key | None:
    return saved.key if saved else None


def _columns(fixes: Sequence[FixRow]) -> FixColumns:
    at_us, _, lon_deg, lat_deg, accuracy_m, altitude_m = (
        zip(*fixes, strict=True) if fixes else [()] * 6
    )
    return FixColumns(
        np.column_stack([np.array(lon_deg, np.float64), np.array(lat_deg, np.float64)]),
        np.array(at_us, np.int64),
        # None becomes NaN.
        np.nan_to_num(np.array(accuracy_m, np.float64)),
        np.array(altitude_m, np.float64),
    )


def _marks(fixes: Sequence[FixRow]) -> list[Mark]:
    return [
        Mark(at_us, device_id, lon, lat, accuracy or 0.0, altitude)
        for at_us, device_id, lon, lat, accuracy, altitude in fixes
    ]


def _run_together(machines: Sequence[Steps]) -> list[Verdict]:
    """Run the late judgings side by side, loading for all of them at once in each round."""
    verdicts: list[Verdict] = []
    waiting = [(machine, next(machine)) for machine in machines]
    while waiting:
        answers = iter(stretches([wanted for _, asked in waiting for wanted in asked]))
        still = []
        for machine, asked in waiting:
            try:
                still.append((machine, machine.send([next(answers) for _ in asked])))
            except StopIteration as finished:
                verdicts.append(finished.value)
        waiting = still
    return verdicts
