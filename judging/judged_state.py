"""The composite state of an asset: the key of its last judged fact, and the state of each fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import msgspec
from msgspec import Struct

from core.fact_order import FactKey
from judging.folds import Fold


class JudgedState(Struct):
    """The past of an asset as far as judging its next fact needs it.

    `last` is the key of the last judged fact, None before the first. `asked_us` is the latest
    instant at which a fold was called without a fact: a fact measured up to then is late.
    `since_checkpoint` counts facts and is no part of the state's meaning.
    """

    states: dict[str, Any]
    last: FactKey | None = None
    asked_us: int | None = None
    since_checkpoint: int = 0


class StateCodec:
    """Reads and writes the composite states of these folds, in one pass whatever their number."""

    def __init__(self, folds: Sequence[Fold]) -> None:
        self._types = {fold.name: fold.state_type for fold in folds}
        # Any of the states may be missing, and unknown ones are skipped.
        fold_states = TypedDict("FoldStates", self._types, total=False)  # type: ignore[misc]
        stored = tuple[fold_states, FactKey | None, int | None, int]
        self._decode = msgspec.msgpack.Decoder(stored).decode
        self._encode = msgspec.msgpack.Encoder().encode

    def read(self, data: bytes) -> JudgedState:
        """Return the state that `write` wrote; `b""` is the state of an asset never judged.

        A new fold begins as for an asset never judged; the state of a removed fold is dropped.
        """
        if not data:
            return JudgedState({name: kind() for name, kind in self._types.items()})
        state = JudgedState(*self._decode(data))
        if len(state.states) < len(self._types):
            for name, kind in self._types.items():
                state.states.setdefault(name, kind())
        return state

    def write(self, state: JudgedState) -> bytes:
        return self._encode((state.states, state.last, state.asked_us, state.since_checkpoint))


def states_meet(new: Mapping[str, Any], recorded: Mapping[str, Any], folds: Sequence[Fold]) -> bool:
    """Return whether every further fact will be judged the same from both states."""
    return all(fold.meets(new[fold.name], recorded[fold.name]) for fold in folds)
