"""Frames as JSON texts, as in docs/live-protocol.md, and columns from Redis frames."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import orjson
from numpy.typing import NDArray

from core.broadcast import Moved
from positions.latest_columns import NULL, LatestColumns
from positions.live_columns import LIVE_COLUMNS, MAX_QUANTITY, NAMES, LiveColumn

FRAME_LIMIT_BYTES: Final = 64 * 1024
_DECLARED: Final = frozenset(NAMES)


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
    """Return the frame of a client. Raises ValueError for any other text."""
    return _client_frame.decode(text)


def text(type_: str, **members: Any) -> str:
    return orjson.dumps({"type": type_, **members}).decode()


def snapshot(assets: str, *, epoch: str | None, seq: int, server_time: int, tick_ms: int) -> str:
    """Return a snapshot with `assets`, which is JSON already: it may have many megabytes."""
    head = text("snapshot", epoch=epoch, seq=seq, server_time=server_time, tick_ms=tick_ms)
    return f'{head[:-1]},"assets":{assets}}}'


def delta(
    assets: str, gone: str, *, epoch: str, prev: int, seq: int, server_time: int, tick_ms: int
) -> str:
    head = text("delta", epoch=epoch, prev=prev, seq=seq, server_time=server_time, tick_ms=tick_ms)
    return f'{head[:-1]},"assets":{assets},"gone":{gone}}}'


def columns_of(moved: Moved) -> LatestColumns:
    """Return the columns of a frame from the road.

    Raises ValueError or OverflowError unless they are the declared columns and equally long.
    """
    if moved.columns.keys() != _DECLARED:
        raise ValueError(f"not declared or missing: {sorted(moved.columns.keys() ^ _DECLARED)}")
    rows = len(moved.id)
    values = np.empty((len(LIVE_COLUMNS), rows), dtype=np.int64)
    for index, column in enumerate(LIVE_COLUMNS):
        given = moved.columns[column.name]
        if len(given) != rows:
            raise ValueError(f"{column.name} has {len(given)} rows, not {rows}")
        values[index] = [NULL if value is None else value for value in given]
        if column.choices:
            _require_choices(values[index], column)
        elif column.kind == "quantity":
            _require_fit(values[index], column)
    return LatestColumns(
        id=np.array(moved.id, dtype=np.int64),
        organisation_id=np.full(rows, moved.organisation_id, dtype=np.int64),
        values=values,
    )


def _require_fit(quantities: NDArray[np.int64], column: LiveColumn) -> None:
    is_fit = (quantities >= -MAX_QUANTITY) & (quantities <= MAX_QUANTITY)
    if not (is_fit | (quantities == NULL)).all():
        raise ValueError(f"{column.name} is beyond {MAX_QUANTITY}")


def _require_choices(codes: NDArray[np.int64], column: LiveColumn) -> None:
    is_choice = (codes >= 1) & (codes <= len(column.choices))
    if not (is_choice | (codes == NULL)).all():
        raise ValueError(f"{column.name} has codes beyond {len(column.choices)}")
