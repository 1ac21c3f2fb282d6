"""The composite state of an asset: the key of its last judged fact, and the state of each fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

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


class _Stored(Struct, array_like=True):
    last: bytes | None
    asked_us: int | None
    since_checkpoint: int
    states: dict[str, bytes]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


def read_state(data: bytes, folds: Sequence[Fold]) -> JudgedState:
    """Return the state that `write_state` wrote; `b""` is the state of an asset never judged.

    A new fold begins as for an asset never judged; the state of a removed fold is dropped.
    """
    if not data:
        return JudgedState({fold.name: fold.state_of(b"") for fold in folds})
    stored = _decoder.decode(data)
    known = stored.states
    return JudgedState(
        {fold.name: fold.state_of(known.get(fold.name, b"")) for fold in folds},
        None if stored.last is None else key_of_bytes(stored.last),
        stored.asked_us,
        stored.since_checkpoint,
    )


def write_state(state: JudgedState, folds: Sequence[Fold]) -> bytes:
    stored = _Stored(
        None if state.last is None else state.last.to_bytes(),
        state.asked_us,
        state.since_checkpoint,
        {fold.name: fold.bytes_of(state.states[fold.name]) for fold in folds},
    )
    return _encoder.encode(stored)


def states_meet(new: Mapping[str, Any], recorded: Mapping[str, Any], folds: Sequence[Fold]) -> bool:
    """Return whether every further fact will be judged the same from both states."""
    return all(fold.meets(new[fold.name], recorded[fold.name]) for fold in folds)
