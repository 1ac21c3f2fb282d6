"""The composite state of an asset: how far it is judged, and the state of each fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from core.fact_order import FactKey, key_of_bytes
from judging.folds import Fold


class JudgedState(Struct):
    """All that judging an asset's next fact needs of its past.

    `last` is the key of the last judged fact, None before the first. `asked_us` is the latest
    instant at which a fold was asked without a fact: what was measured up to then is late.
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
    """Return the state that `write_state` wrote, `b""` being that of an asset never judged.

    A fold that was not there then begins as for an asset never judged; the state of one that is
    not there any more is dropped.
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


def states_meet(one: Mapping[str, Any], other: Mapping[str, Any], folds: Sequence[Fold]) -> bool:
    """Return whether every further fact will be judged alike from either."""
    return all(fold.meets(one[fold.name], other[fold.name]) for fold in folds)
