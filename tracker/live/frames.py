"""Frames as JSON texts, as docs/live-protocol.md has them, and columns out of Redis frames."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import orjson

from core.broadcast import Moved
from positions.latest import METHODS, NAMES, NULL, Columns

FRAME_LIMIT_BYTES: Final = 64 * 1024
_CODE_OF: Final = {name: code for code, name in enumerate(METHODS, start=1)}


class _FromClient(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"
):
    pass


class Subscribe(_FromClient, frozen=True, kw_only=True, tag="subscribe"):
    epoch: str | None = None
    seq: int = 0
    alerts_after: int | None = None


class Ack(_FromClient, frozen=True, kw_only=True, tag="ack"):
    seq: int


class Pause(_FromClient, frozen=True, kw_only=True, tag="pause"):
    pass


class Resume(_FromClient, frozen=True, kw_only=True, tag="resume"):
    pass


ClientFrame = Subscribe | Ack | Pause | Resume
_client_frame: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)


def read(text: str) -> ClientFrame:
    """Raises ValueError for what is no frame of a client."""
    return _client_frame.decode(text)


def text(type_: str, **members: Any) -> str:
    return orjson.dumps({"type": type_, **members}).decode()


def snapshot(assets: str, *, epoch: str | None, seq: int, server_time: int, tick_ms: int) -> str:
    """Return the frame around columns that are JSON already: they may be many megabytes."""
    head = text("snapshot", epoch=epoch, seq=seq, server_time=server_time, tick_ms=tick_ms)
    return f'{head[:-1]},"assets":{assets}}}'


def delta(
    assets: str, gone: str, *, epoch: str, prev: int, seq: int, server_time: int, tick_ms: int
) -> str:
    head = text("delta", epoch=epoch, prev=prev, seq=seq, server_time=server_time, tick_ms=tick_ms)
    return f'{head[:-1]},"assets":{assets},"gone":{gone}}}'


def columns_of(moved: Moved) -> Columns:
    """Raises ValueError or OverflowError if the columns are not equally long or not integers."""
    rows = len(moved.id)
    values = np.empty((len(NAMES), rows), dtype=np.int64)
    for index, name in enumerate(NAMES):
        column = getattr(moved, name)
        if len(column) != rows:
            raise ValueError(f"{name} has {len(column)} rows, not {rows}")
        if name == "method":
            column = [_CODE_OF.get(method) for method in column]
        values[index] = [NULL if value is None else value for value in column]
    return Columns(
        id=np.array(moved.id, dtype=np.int64),
        organisation_id=np.full(rows, moved.organisation_id, dtype=np.int64),
        values=values,
    )
