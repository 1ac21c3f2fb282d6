"""What a fold is: a pure function over an asset's facts in order, with a state that forgets."""

from __future__ import annotations

from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, Protocol

from core.judged_fact import JudgedFact

# By the name of the fold: the states of one asset. A fold reads those of the folds before it,
# which have seen the fact already.
States = Mapping[str, Any]


class Fold(Protocol):
    """One way to judge an asset's facts. Pure: the same facts give the same findings and state.

    Its state must forget: it may depend on a bounded stretch of facts only. A state that keeps a
    total or a beginning would differ from the recorded one for ever after, and one late fact
    would cost the asset's whole history.
    """

    name: str
    """Under which its state is kept, and its findings are given. Never reused for another."""

    needs_readings: bool
    """Whether it looks at readings, and at facts without a deciding fix."""

    has_deadlines: bool
    """Whether it ever asks to be asked at an instant without a fact."""

    def state_of(self, data: bytes) -> Any:
        """Return the state that `bytes_of` wrote; of `b""` that of an asset never judged."""

    def bytes_of(self, state: Any) -> bytes: ...

    def meets(self, state: Any, other: Any) -> bool:
        """Return whether every further fact will be judged alike from either state."""

    def look_ups(self, runs: Sequence[tuple[Any, Sequence[JudgedFact]]]) -> list[Sequence[Any]]:
        """Return for each run a value for each of its facts, to be given back to `step`.

        Asked once for many assets, so that what is cheaper for many at once (a spatial index)
        is asked for many. A run is the context of an asset and facts of it in order.
        """

    def step(
        self,
        state: Any,
        fact: JudgedFact,
        looked_up: Any,
        context: Any,
        states: States,
        findings: MutableSequence[Any],
    ) -> None:
        """Move `state` over a fact that comes after all that it holds; append what it found."""

    def asks_at_us(self, state: Any) -> int | None:
        """Return the instant at which it wants to be asked should no further fact come before."""

    def at_deadline(
        self,
        state: Any,
        at_us: int,
        context: Any,
        states: States,
        findings: MutableSequence[Any],
    ) -> None:
        """Move `state` over the instant that it asked for, after all facts of that instant.

        Afterwards it asks for a later instant, or for none.
        """


class FactFold:
    """A fold that needs no look-ups and no clock: what most of them inherit."""

    needs_readings = False
    has_deadlines = False

    def meets(self, state: Any, other: Any) -> bool:
        return bool(state == other)

    def look_ups(self, runs: Sequence[tuple[Any, Sequence[JudgedFact]]]) -> list[Sequence[Any]]:
        return [[None] * len(facts) for _, facts in runs]

    def asks_at_us(self, state: Any) -> int | None:
        return None

    def at_deadline(
        self,
        state: Any,
        at_us: int,
        context: Any,
        states: States,
        findings: MutableSequence[Any],
    ) -> None:
        raise AssertionError("this fold asks for no instant")
