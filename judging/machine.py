"""Judging assets: onwards if facts came in order, and again from a checkpoint if facts are late.

Late facts are folded in from the last state known before them, until the new states
meet the recorded states; `judging.differences` finds the resulting changes. The cost is
that of a few stretches between checkpoints, however long the history. If the states do not
meet for long, judging stops after a while and returns the moment from which to continue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final

from msgspec import Struct

from core.fact_order import FactKey, before_all_at
from core.judged_fact import JudgedFact
from judging.differences import REACH_US
from judging.folds import Fold
from judging.judged_state import JudgedState, StateCodec, states_meet
from positions.stretches import NewCheckpoint, SavedState, Stretch, WantedStretch

# Facts between two checkpoints. More make late facts dearer and the history smaller.
CHECKPOINT_EVERY: Final = 200
# Facts judged again at once, so that no other process waits long for the lock on an asset.
FACTS_AT_ONCE: Final = 20_000
_LONG_AGO_US: Final = -(1 << 62)

Load = Callable[[Sequence[WantedStretch]], Sequence[Stretch]]


class PendingAsset(Struct, frozen=True, kw_only=True):
    """An asset with facts to be judged: new facts, and the keys of stored facts that changed.

    `contexts` holds the context of each fold by its name. With `since_us`, all facts from that
    instant on are judged again.
    """

    asset_id: int
    organisation_id: int
    head: bytes
    contexts: Mapping[str, Any]
    facts: Sequence[JudgedFact] = ()
    changed: Sequence[FactKey] = ()
    since_us: int | None = None


class Window(Struct, frozen=True):
    """A part of the history that was judged again: after `low`, up to `high`; None is open."""

    low: FactKey | None
    high: FactKey | None


class AssetVerdict(Struct, kw_only=True):
    """The result of judging an asset. `windows` are empty if all facts came in order.

    `findings` are by fold, in the order in which they became sure. `head` is the new composite
    state, None if it has not changed. With `settled_us`, judging stopped early and must continue
    from there: findings that became sure until then are final; findings that became sure less
    than `reach_us` later may still turn out to be older findings that moved.
    """

    pending: PendingAsset
    facts: int = 0
    settled_us: int | None = None
    reach_us: int = REACH_US
    findings: dict[str, list[Any]]
    windows: list[Window] = []
    checkpoints: list[NewCheckpoint] = []
    head: JudgedState | None = None
    former_last: FactKey | None = None


LateJudging = Generator[list[WantedStretch], list[Stretch], AssetVerdict]
# Facts of an asset in order, and for each fold its look-up of each fact.
Run = tuple[Sequence[JudgedFact], Sequence[Sequence[Any]]]


class Machine:
    """Runs folds, in their fixed order, over the facts of assets."""

    def __init__(
        self,
        folds: Sequence[Fold],
        *,
        checkpoint_every: int = CHECKPOINT_EVERY,
        facts_at_once: int = FACTS_AT_ONCE,
        reach_us: int = REACH_US,
    ) -> None:
        self.folds = tuple(folds)
        self._steps = tuple((fold.name, fold.step) for fold in folds)
        self._codec = StateCodec(self.folds)
        self.needs_readings = any(fold.needs_readings for fold in folds)
        self._has_deadlines = any(fold.has_deadlines for fold in folds)
        self._checkpoint_every = checkpoint_every
        self._facts_at_once = facts_at_once
        self._reach_us = reach_us

    def looks_at(self, fact: JudgedFact) -> bool:
        """Return whether any fold uses the fact."""
        return fact.fix is not None or self.needs_readings

    def state_of(self, data: bytes) -> JudgedState:
        return self._codec.read(data)

    def bytes_of(self, state: JudgedState) -> bytes:
        return self._codec.write(state)

    def asks_at_us(self, state: JudgedState) -> int | None:
        """Return the next instant at which some fold must be called without a fact."""
        if not self._has_deadlines:
            return None
        asked = (fold.asks_at_us(state.states[fold.name]) for fold in self.folds)
        return min((at_us for at_us in asked if at_us is not None), default=None)

    def judge(
        self, pending: Iterable[PendingAsset], load: Load, *, now_us: int
    ) -> list[AssetVerdict]:
        """Judge each asset. `load` returns the wanted stretches, in their order.

        Stretches of all assets with late facts are loaded together, round by round.
        """
        in_order, late = [], []
        for asset in pending:
            head = self.state_of(asset.head)
            if _is_in_order(asset, head):
                in_order.append((asset, head))
            else:
                late.append(self._judge_late(asset, head, now_us))
        return self._judge_in_order(in_order, now_us) + _run_interleaved(late, load)

    def _judge_in_order(
        self, assets: Sequence[tuple[PendingAsset, JudgedState]], now_us: int
    ) -> list[AssetVerdict]:
        runs = self._runs([(asset, _in_order(asset.facts)) for asset, _ in assets])
        verdicts = []
        for (asset, head), run in zip(assets, runs, strict=True):
            verdict = self._verdict(asset, head.last)
            verdict.head = head
            self._fold_on(verdict, head, run)
            if self._has_deadlines:
                self._meet_deadlines(verdict, head, now_us)
            verdicts.append(verdict)
        return verdicts

    def _verdict(self, asset: PendingAsset, former_last: FactKey | None) -> AssetVerdict:
        findings: dict[str, list[Any]] = {name: [] for name, _ in self._steps}
        return AssetVerdict(
            pending=asset, findings=findings, former_last=former_last, reach_us=self._reach_us
        )

    def _runs(self, pieces: Sequence[tuple[PendingAsset, Sequence[JudgedFact]]]) -> list[Run]:
        """Return the facts of each piece with the look-ups of all folds, asking each fold once."""
        by_fold = [
            fold.look_ups([(asset.contexts.get(fold.name), facts) for asset, facts in pieces])
            for fold in self.folds
        ]
        looked_up = zip(*by_fold, strict=True)
        return [(facts, own) for (_, facts), own in zip(pieces, looked_up, strict=True)]

    def _fold_on(self, verdict: AssetVerdict, state: JudgedState, run: Run) -> None:
        """Fold over `run`, with a checkpoint each `checkpoint_every` facts."""
        facts, looked_up = run
        contexts, states, findings = verdict.pending.contexts, state.states, verdict.findings
        for number, fact in enumerate(facts):
            if self._has_deadlines:
                self._meet_deadlines(verdict, state, fact.key.at_us - 1)
            for (name, step), values in zip(self._steps, looked_up, strict=True):
                step(states[name], fact, values[number], contexts.get(name), states, findings[name])
            state.last = fact.key
            state.since_checkpoint += 1
            if state.since_checkpoint >= self._checkpoint_every:
                self._add_checkpoint(verdict, state, fact.key)
        verdict.facts += len(facts)

    def _meet_deadlines(self, verdict: AssetVerdict, state: JudgedState, until_us: int) -> None:
        """Call folds at the instants that they asked for, up to and including `until_us`."""
        pending, states = verdict.pending, state.states
        while (at_us := self.asks_at_us(state)) is not None and at_us <= until_us:
            for fold in self.folds:
                own_state = states[fold.name]
                if fold.asks_at_us(own_state) == at_us:
                    context, found = pending.contexts.get(fold.name), verdict.findings[fold.name]
                    fold.at_deadline(own_state, at_us, context, states, found)
            assert at_us != self.asks_at_us(state), "a fold asked for the same instant again"
            state.asked_us = at_us

    def _add_checkpoint(self, verdict: AssetVerdict, state: JudgedState, key: FactKey) -> None:
        state.since_checkpoint = 0
        checkpoint = NewCheckpoint(verdict.pending.asset_id, key, self.bytes_of(state))
        verdict.checkpoints.append(checkpoint)

    def _judge_late(self, asset: PendingAsset, head: JudgedState, now_us: int) -> LateJudging:
        """Yield the stretches to load, receive them, and return the verdict."""
        verdict = self._verdict(asset, head.last)
        queue = self._with_look_ups(asset, _without_repeats((yield _wanted_around(asset))))
        carried: JudgedState | None = None
        while queue:
            stretch, run = queue.popleft()
            state = carried or self.state_of(stretch.low.state if stretch.low else b"")
            _open_window(verdict, stretch, is_carried=carried is not None)
            self._fold_on(verdict, state, run)
            carried = self._settle(verdict, state, stretch.high, now_us)
            if carried is not None and self._may_stop(verdict):
                return verdict
            if carried is not None and (not queue or _key(queue[0][0].low) != _key(stretch.high)):
                assert stretch.high is not None, "judging continues from a checkpoint"
                more = yield [WantedStretch(asset.asset_id, stretch.high.key, is_next=True)]
                queue.extendleft(reversed(self._with_look_ups(asset, more)))
        return verdict

    def _with_look_ups(
        self, asset: PendingAsset, loaded: Sequence[Stretch]
    ) -> deque[tuple[Stretch, Run]]:
        runs = self._runs([(asset, stretch.facts) for stretch in loaded])
        return deque(zip(loaded, runs, strict=True))

    def _settle(
        self, verdict: AssetVerdict, state: JudgedState, high: SavedState | None, now_us: int
    ) -> JudgedState | None:
        """Compare with the recorded state at a stretch's end.

        Returns the state from which judging must continue, None if it is done.
        """
        if high is None:
            self._meet_deadlines(verdict, state, now_us)
            verdict.head = state
            return None
        if verdict.pending.since_us is None:
            recorded = self.state_of(high.state)
            if states_meet(state.states, recorded.states, self.folds):
                return None
        # Even if the fact at that key belongs to another asset now: the state after all before it.
        self._add_checkpoint(verdict, state, high.key)
        return state

    def _may_stop(self, verdict: AssetVerdict) -> bool:
        """Return whether to stop here: after many facts, and beyond the reach of moved findings."""
        first, last = verdict.windows[0], verdict.windows[-1]
        assert last.high is not None, "there is a checkpoint to go on from"
        start_us = verdict.pending.since_us
        if start_us is None:
            start_us = first.low.at_us if first.low else _LONG_AGO_US
        if verdict.facts < self._facts_at_once or last.high.at_us - 3 * self._reach_us < start_us:
            return False
        verdict.settled_us = last.high.at_us - 2 * self._reach_us
        return True


def _is_in_order(asset: PendingAsset, head: JudgedState) -> bool:
    if asset.since_us is not None or asset.changed:
        return False
    if not asset.facts:
        return True
    first, last, asked_us = min(map(_key_of, asset.facts)), head.last, head.asked_us
    return (last is None or first > last) and (asked_us is None or first.at_us > asked_us)


def _in_order(facts: Sequence[JudgedFact]) -> Sequence[JudgedFact]:
    return facts if len(facts) == 1 else sorted(facts, key=_key_of)


_key_of = attrgetter("key")


def _wanted_around(asset: PendingAsset) -> list[WantedStretch]:
    keys = sorted({*(fact.key for fact in asset.facts), *asset.changed})
    if asset.since_us is not None:
        keys = [before_all_at(asset.since_us)]
    return [WantedStretch(asset.asset_id, key) for key in keys]


def _without_repeats(touched: Sequence[Stretch]) -> list[Stretch]:
    """Return each stretch once: several facts may lie in the same stretch."""
    first = list(touched[:1])
    return first + [b for a, b in pairwise(touched) if _key(a.low) != _key(b.low)]


def _open_window(verdict: AssetVerdict, stretch: Stretch, *, is_carried: bool) -> None:
    low, high = _key(stretch.low), _key(stretch.high)
    if is_carried:
        low = verdict.windows.pop().low
    verdict.windows.append(Window(low, high))


def _key(saved: SavedState | None) -> FactKey | None:
    return saved.key if saved else None


def _run_interleaved(machines: Sequence[LateJudging], load: Load) -> list[AssetVerdict]:
    """Run the late judgings interleaved: each round loads the stretches of all of them at once."""
    verdicts: list[AssetVerdict] = []
    waiting = [(machine, next(machine)) for machine in machines]
    while waiting:
        answers = iter(load([wanted for _, asked in waiting for wanted in asked]))
        still = []
        for machine, asked in waiting:
            try:
                still.append((machine, machine.send([next(answers) for _ in asked])))
            except StopIteration as finished:
                verdicts.append(finished.value)
        waiting = still
    return verdicts
