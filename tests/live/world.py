"""A fleet in memory, as the database would hold it, and a client that believes what it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.broadcast import Moved
from positions.latest_columns import LatestColumns
from positions.live_columns import LIVE_COLUMNS, NAMES, LiveColumn
from tracker.live.frames import columns_of

NONE = LatestColumns(
    id=np.empty(0, dtype=np.int64),
    organisation_id=np.empty(0, dtype=np.int64),
    values=np.empty((len(NAMES), 0), dtype=np.int64),
)


def state(at: int, **members: Any) -> dict[str, Any]:
    """Return a van that was somewhere at second `at`."""
    ms = at * 1000
    given: dict[str, Any] = {
        "lon_e7": 100_000_000 + at,
        "lat_e7": 500_000_000 - at,
        "fix_at": ms,
        "measured_at": ms,
        "received_at": ms + 40,
        "speed_mms": at * 10 if at % 3 else None,
        "course_cdeg": None,
        "accuracy_dm": 50,
        "method": "gnss",
        "battery": 80,
    }
    return dict.fromkeys(NAMES) | given | members


def moved(organisation_id: int, states: dict[int, dict[str, Any]]) -> Moved:
    """Return the frame of one batch: `states` maps asset ids to states."""
    columns = {
        column.name: [_integer(column, row[column.name]) for row in states.values()]
        for column in LIVE_COLUMNS
    }
    return Moved(organisation_id=organisation_id, id=list(states), columns=columns)


def _integer(column: LiveColumn, value: Any) -> int | None:
    return column.choices.index(value) + 1 if column.choices and value else value


def rows(organisation_id: int, states: dict[int, dict[str, Any]]) -> LatestColumns:
    return columns_of(moved(organisation_id, states))


def all_rows(fleet: dict[int, tuple[int, dict[str, Any]]]) -> LatestColumns:
    """Return the columns of assets with their organisations, as read from the database."""
    parts = [rows(organisation_id, {key: row}) for key, (organisation_id, row) in fleet.items()]
    return LatestColumns(
        id=np.concatenate([NONE.id, *(p.id for p in parts)]),
        organisation_id=np.concatenate([NONE.organisation_id, *(p.organisation_id for p in parts)]),
        values=np.concatenate([NONE.values, *(p.values for p in parts)], axis=1),
    )


def by_id(assets: dict[str, list[Any]]) -> dict[int, dict[str, Any]]:
    names = [name for name in assets if name != "id"]
    return {
        key: {name: assets[name][index] for name in names} for index, key in enumerate(assets["id"])
    }


@dataclass
class Client:
    """What a console makes of the frames, and a complaint about any that does not follow."""

    epoch: str | None = None
    seq: int = 0
    assets: dict[int, dict[str, Any]] = field(default_factory=dict)
    others: list[dict[str, Any]] = field(default_factory=list)
    snapshots: int = 0

    def take(self, text: str) -> None:
        frame = json.loads(text)
        if frame["type"] == "snapshot":
            self.snapshots += 1
            self.assets = by_id(frame["assets"])
        elif frame["type"] == "delta":
            assert (frame["epoch"], frame["prev"]) == (self.epoch, self.seq), "a gap"
            for key in frame["gone"]:
                self.assets.pop(key, None)
            self.assets |= by_id(frame["assets"])
        else:
            self.others.append(frame)
            return
        self.epoch, self.seq = frame["epoch"], frame["seq"]
