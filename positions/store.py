"""The statements of the road on the memory: a constant number for a batch of any size.

All run in the caller's transaction on Django's connection. States of assets are locked in id
order, so that processes that handle the same assets do not deadlock. Functions named `send_…`
may be called in a pipeline; their answers are fetched later.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, LiteralString

import msgspec
import orjson
from msgspec import Struct

from core.fact_order import order_sql
from core.observation import Fix, Method, Scans, TimeSource, Value
from core.statements import records, records_of, recordset, rows, run
from positions.stored_fact import Fact, Identity, merged

_to_json = msgspec.json.Encoder().encode


def _json(rows: Any) -> str:
    return _to_json(rows).decode()


class StateRow(Struct):
    """The latest state of an asset and the states of its folds, while its row is locked."""

    asset_id: int
    organisation_id: int
    device_id: int | None = None
    measured_at: datetime | None = None
    received_at: datetime | None = None
    fix_at: datetime | None = None
    newest_key: bytes | None = None
    fix_key: bytes | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    altitude_m: float | None = None
    accuracy_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    method: str | None = None
    motion: str = "unknown"
    motion_since: datetime | None = None
    estimated_speed_mps: float | None = None
    asks_at: datetime | None = None
    readings: dict[str, Any] = {}
    judged: bytes = b""


_STATE_COLUMNS = StateRow.__struct_fields__
_READ_AS = {"readings": "s.readings::text AS readings"}
_SELECT_STATES = (
    f"SELECT {', '.join(_READ_AS.get(name, f's.{name}') for name in _STATE_COLUMNS)}"
    " FROM positions_assetstate s"
    " WHERE s.asset_id = ANY(%s::bigint[]) ORDER BY s.asset_id FOR UPDATE OF s"
)


def lock_states(asset_ids: Iterable[int]) -> dict[int, StateRow]:
    """Lock the states of these assets in id order and return them."""
    states = fetch_states(send_lock_states(asset_ids))
    return states if len(states) == len(set(asset_ids)) else _make_states(asset_ids)


def send_lock_states(asset_ids: Iterable[int]) -> Any:
    """Send the statement that locks states; `fetch_states` returns the rows that exist."""
    return run(_SELECT_STATES, [sorted(set(asset_ids))])


def fetch_states(cursor: Any) -> dict[int, StateRow]:
    with cursor:
        states = records_of(StateRow, cursor, readings=orjson.loads)
    return {state.asset_id: state for state in states}


def _make_states(asset_ids: Iterable[int]) -> dict[int, StateRow]:
    wanted = sorted(set(asset_ids))
    run(
        "INSERT INTO positions_assetstate (asset_id, organisation_id, readings, judged)"
        " SELECT id, organisation_id, '{}', '' FROM assets_asset WHERE id = ANY(%s::bigint[])"
        " ORDER BY id ON CONFLICT DO NOTHING",
        [wanted],
    )
    # Lock all again: the order of locks must hold for the new rows, too.
    return fetch_states(send_lock_states(wanted))


class _PositionJson(Struct, omit_defaults=True, gc=False):
    """A fact as JSON for the database, under short names."""

    d: int
    m: datetime
    k: int
    r: datetime
    t: str
    q: dict[str, Any]
    p: datetime | None = None
    x: float | None = None
    y: float | None = None
    a: float | None = None
    u: float | None = None
    v: float | None = None
    c: float | None = None
    f: str | None = None
    n: Scans | None = None
    s: bool = False

    @classmethod
    def of(cls, fact: Fact) -> _PositionJson:
        fix = fact.fix
        row = cls(
            fact.device_id,
            fact.measured_at,
            fact.message,
            fact.received_at,
            fact.time_source,
            fact.readings,
            p=fact.reported_at,
            n=fact.scans,
            s=fact.is_clock_suspect,
        )
        if fix:
            row.x, row.y, row.a = fix.lon_deg, fix.lat_deg, fix.altitude_m
            row.u, row.v, row.c = fix.accuracy_m, fix.speed_mps, fix.course_deg
            row.f = fix.method
        return row


# The columns of a position, each with its expression over a `_PositionJson`.
_WRITTEN_AS: dict[LiteralString, LiteralString] = {
    "device_id": "d",
    "measured_at": "m",
    "message": "k",
    "reported_at": "p",
    "received_at": "r",
    "point": "CASE WHEN x IS NOT NULL THEN ST_SetSRID(ST_MakePoint(x, y), 4326) END",
    "altitude_m": "a",
    "accuracy_m": "u",
    "speed_mps": "v",
    "course_deg": "c",
    "method": "f",
    "time_source": "t",
    "readings": "q",
    "scans": "n",
    "is_clock_suspect": "coalesce(s, false)",
}
_INSERT_POSITIONS = (
    f"INSERT INTO positions_position ({', '.join(_WRITTEN_AS)})"
    f" SELECT {', '.join(_WRITTEN_AS.values())} FROM {recordset(_PositionJson)}"
    " ON CONFLICT DO NOTHING RETURNING device_id, measured_at, message"
)
# The columns that a second copy of a message may change.
_COMPLETE_POSITIONS = (
    "UPDATE positions_position p SET reported_at = o.p, received_at = o.r, time_source = o.t,"
    f" is_clock_suspect = coalesce(o.s, false) FROM {recordset(_PositionJson)}"
    " WHERE p.device_id = o.d AND p.measured_at = o.m AND p.message = o.k"
)


class CompletedFact(Struct, frozen=True):
    """A stored fact that a second copy completed: as it was and as it now stands."""

    former: Fact
    present: Fact


class StoredFacts(Struct, frozen=True):
    """The result of storing a batch: new facts, and facts that a second copy completed."""

    new: dict[Identity, Fact]
    completed: dict[Identity, CompletedFact]


class SentFacts(Struct, frozen=True):
    """Facts whose INSERT was sent but not yet fetched. `cursor` is None without facts."""

    unique: dict[Identity, Fact]
    cursor: Any


def send_facts(facts: Iterable[Fact]) -> SentFacts:
    """Send the INSERT of the facts; `finish_storing` fetches its result."""
    unique: dict[Identity, Fact] = {}
    for fact in facts:
        former = unique.get(fact.identity)
        unique[fact.identity] = merged(former, fact) if former else fact
    if not unique:
        return SentFacts(unique, None)
    document = _json([_PositionJson.of(fact) for fact in unique.values()])
    return SentFacts(unique, run(_INSERT_POSITIONS, [document]))


def finish_storing(sent: SentFacts) -> StoredFacts:
    """Fetch which facts were new; merge the other facts into the stored rows."""
    if sent.cursor is None:
        return StoredFacts({}, {})
    with sent.cursor:
        inserted = set(sent.cursor.fetchall())
    if len(inserted) == len(sent.unique):
        return StoredFacts(sent.unique, {})
    new = {identity: fact for identity, fact in sent.unique.items() if identity in inserted}
    repeated = {
        identity: fact for identity, fact in sent.unique.items() if identity not in inserted
    }
    return StoredFacts(new, _complete(repeated))


def _complete(repeated: dict[Identity, Fact]) -> dict[Identity, CompletedFact]:
    """Merge repeated facts into their rows. Returns only the rows that changed."""
    completed = {}
    for existing in _lock_existing(list(repeated)):
        whole = merged(existing, repeated[existing.identity])
        if whole != existing:
            completed[whole.identity] = CompletedFact(existing, whole)
    if completed:
        present = [_PositionJson.of(each.present) for each in completed.values()]
        run(_COMPLETE_POSITIONS, [_json(present)])
    return completed


def _lock_existing(identities: list[Identity]) -> list[Fact]:
    return records(
        _fact,
        "SELECT p.device_id, p.measured_at, p.message, p.reported_at, p.received_at,"
        " p.time_source, ST_X(p.point) AS lon_deg, ST_Y(p.point) AS lat_deg, p.altitude_m,"
        " p.accuracy_m, p.speed_mps, p.course_deg, p.method, p.readings::text AS readings"
        " FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[]) AS k(d, m, n)"
        " JOIN positions_position p ON p.device_id = k.d AND p.measured_at = k.m"
        " AND p.message = k.n ORDER BY p.device_id, p.measured_at, p.message FOR UPDATE OF p",
        [[each[place] for each in identities] for place in range(3)],
        readings=orjson.loads,
    )


def _fact(
    device_id: int,
    measured_at: datetime,
    message: int,
    reported_at: datetime | None,
    received_at: datetime,
    time_source: TimeSource,
    lon_deg: float | None,
    lat_deg: float | None,
    altitude_m: float | None,
    accuracy_m: float | None,
    speed_mps: float | None,
    course_deg: float | None,
    method: Method | None,
    readings: dict[str, Value],
) -> Fact:
    fix = None
    if lon_deg is not None:
        assert lat_deg is not None, "a point has both"
        assert method is not None, "a fix has a method"
        fix = Fix(
            lon_deg=lon_deg,
            lat_deg=lat_deg,
            altitude_m=altitude_m,
            accuracy_m=accuracy_m,
            speed_mps=speed_mps,
            course_deg=course_deg,
            method=method,
        )
    return Fact.of(
        device_id=device_id,
        measured_at=measured_at,
        message=message,
        reported_at=reported_at,
        received_at=received_at,
        time_source=time_source,
        fix=fix,
        readings=readings,
    )


_OF_BYTES = ("newest_key", "fix_key", "judged")
_UPDATE_STATES = (
    "UPDATE positions_assetstate s SET "
    + ", ".join(
        f"{name} = decode(o.{name}, 'base64')" if name in _OF_BYTES else f"{name} = o.{name}"
        for name in _STATE_COLUMNS[2:]
    )
    + f" FROM {recordset(StateRow)} WHERE s.asset_id = o.asset_id"
)


def save_states(states: Iterable[StateRow]) -> None:
    """Write back states that were locked by `lock_states` in this transaction."""
    saved = list(states)
    if saved:
        run(_UPDATE_STATES, [_json(saved)])


def newest_facts(asset_id: int) -> list[Fact]:
    """Return the facts that make the latest state: the newest, with a fix, with each reading.

    Reads the asset's whole history: only for histories moved between assets, not for the road.
    """
    found = rows(_NEWEST, [asset_id])
    return _lock_existing(found) if found else []


# For each reading all facts of the newest moment and report time: the greatest value counts.
_NEWEST = f"""
    WITH mine AS MATERIALIZED (
        SELECT p.* FROM assets_assignment a
        JOIN positions_position p ON p.device_id = a.device_id AND p.measured_at <@ a.during
        WHERE a.asset_id = %s AND NOT p.is_clock_suspect
    ), read AS (
        SELECT device_id, measured_at, message, rank() OVER (PARTITION BY r.key
            ORDER BY measured_at DESC, coalesce(reported_at, received_at) DESC) AS place
        FROM mine, jsonb_object_keys(readings) AS r(key)
    )
    (SELECT device_id, measured_at, message FROM mine ORDER BY {order_sql("mine")} DESC LIMIT 1)
    UNION (SELECT device_id, measured_at, message FROM mine WHERE point IS NOT NULL
        ORDER BY {order_sql("mine")} DESC LIMIT 1)
    UNION (SELECT device_id, measured_at, message FROM read WHERE place = 1)"""
