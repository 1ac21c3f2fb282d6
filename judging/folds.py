"""The interface of a fold: a pure function over an asset's facts in order, with a small state."""

from __future__ import annotations

from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, Protocol

from core.judged_fact import JudgedFact

# The states of an asset by the name of the fold. A fold may read the states of the folds before
# it, which have seen the fact already.
States = Mapping[str, Any]


class Fold(Protocol):
    """A way to judge an asset's facts. Pure: the same facts give the same findings and state.

    The state must forget: it may depend on a bounded stretch of facts only. A state that keeps a
    total or a beginning would differ from the recorded state for ever, and a single late fact
    would cost judging the asset's whole history again.
    """

    name: str
    """The key of its state and of its findings. Never reused for another fold."""

    needs_readings: bool
    """True if it uses readings, and facts without a deciding fix."""

    has_deadlines: bool
    """True if it may ask to be called at an instant without a fact."""

    state_type: type[Any]
    """A struct of msgspec; without arguments it makes the state of an asset never judged."""

    def meets(self, state: Any, other: Any) -> bool:
        """Return whether every further fact will be judged the same from both states."""

    def look_ups(self, runs: Sequence[tuple[Any, Sequence[JudgedFact]]]) -> list[Sequence[Any]]:
        """Return, for each run, a value for each of its facts, to be passed to `step`.

        Called once for many assets, since some questions (to a spatial index) are cheaper for
        many facts at once. A run is the context of an asset and some of its facts, in order.
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
        """Move `state` over a fact later than all before; append to `findings`."""

    def asks_at_us(self, state: Any) -> int | None:
        """Return the instant of the next call of `at_deadline`, unless a fact comes before it."""

    def at_deadline(
        self,
        state: Any,
        at_us: int,
        context: Any,
        states: States,
        findings: MutableSequence[Any],
    ) -> None:
        """Move `state` over the instant of `asks_at_us`, after all facts of that instant.

        Afterwards `asks_at_us` returns a later instant, or None.
        """


class FactFold:
    """Base of folds that need no look-ups and no deadlines."""

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
