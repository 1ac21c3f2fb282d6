"""The composite state of an asset: the key of its last judged fact, and the state of each fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, defstruct, field

from core.fact_order import FactKey, key_of_bytes
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
        self._names = tuple(fold.name for fold in folds)
        types = [(fold.name, fold.state_type) for fold in folds]
        self._types = tuple(state_type for _, state_type in types)
        self._fold_states = defstruct(
            "FoldStates",
            [(name, kind, field(default_factory=kind)) for name, kind in types],
            gc=False,
        )
        self._stored_state = defstruct(
            "StoredState",
            [
                ("last", bytes | None),
                ("asked_us", int | None),
                ("since_checkpoint", int),
                ("states", self._fold_states),
            ],
            array_like=True,
            gc=False,
        )
        self._decode = msgspec.msgpack.Decoder(self._stored_state).decode
        self._encode = msgspec.msgpack.Encoder().encode

    def read(self, data: bytes) -> JudgedState:
        """Return the state that `write` wrote; `b""` is the state of an asset never judged.

        A new fold begins as for an asset never judged; the state of a removed fold is dropped.
        """
        if not data:
            return JudgedState(
                {name: kind() for name, kind in zip(self._names, self._types, strict=True)}
            )
        stored: Any = self._decode(data)
        last = stored.last
        return JudgedState(
            {name: getattr(stored.states, name) for name in self._names},
            None if last is None else key_of_bytes(last),
            stored.asked_us,
            stored.since_checkpoint,
        )

    def write(self, state: JudgedState) -> bytes:
        last = state.last
        return self._encode(
            self._stored_state(
                None if last is None else last.to_bytes(),
                state.asked_us,
                state.since_checkpoint,
                self._fold_states(**state.states),
            )
        )


def states_meet(new: Mapping[str, Any], recorded: Mapping[str, Any], folds: Sequence[Fold]) -> bool:
    """Return whether every further fact will be judged the same from both states."""
    return all(fold.meets(new[fold.name], recorded[fold.name]) for fold in folds)
