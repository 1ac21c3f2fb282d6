"""The statements of the road on the memory: a constant number for a batch of any size.

All run in the caller's transaction on Django's connection. Rows of assets are locked
in id order, so that any number of processes may handle the same asset.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import orjson
from msgspec import Struct

from core.fact_order import order_sql
from core.observation import Fix, Method, TimeSource
from core.statements import rows, run
from positions.stored_fact import Fact, Identity, merged

_to_json = msgspec.json.Encoder().encode


def _json(rows: Any) -> str:
    return _to_json(rows).decode()


class StateRow(Struct):
    """The latest of an asset and what its folds remember, while its row is locked."""

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
_SELECT_STATES = (
    "SELECT "
    + ", ".join(f"s.{name}" for name in _STATE_COLUMNS[:-2])
    + ", s.readings::text, s.judged FROM positions_assetstate s"
    " WHERE s.asset_id = ANY(%s::bigint[]) ORDER BY s.asset_id FOR UPDATE OF s"
)


def lock_states(asset_ids: Iterable[int]) -> dict[int, StateRow]:
    """Lock the states of these assets in id order and return them."""
    states = states_of(ask_for_states(asset_ids))
    return states if len(states) == len(set(asset_ids)) else _made_states(asset_ids)


def ask_for_states(asset_ids: Iterable[int]) -> Any:
    """As `lock_states`, to be fetched later by `states_of`; those never made are not there."""
    return run(_SELECT_STATES, [sorted(set(asset_ids))])


def states_of(cursor: Any) -> dict[int, StateRow]:
    with cursor:
        return {row[0]: _state(row) for row in cursor.fetchall()}


def _made_states(asset_ids: Iterable[int]) -> dict[int, StateRow]:
    wanted = sorted(set(asset_ids))
    run(
        "INSERT INTO positions_assetstate (asset_id, organisation_id, readings, judged)"
        " SELECT id, organisation_id, '{}', '' FROM assets_asset WHERE id = ANY(%s::bigint[])"
        " ORDER BY id ON CONFLICT DO NOTHING",
        [wanted],
    )
    # All again: the order of locks must hold for the new rows, too.
    return states_of(ask_for_states(wanted))


def _state(row: tuple[Any, ...]) -> StateRow:
    # The columns stand in the order of the members.
    *columns, readings, judged = row
    return StateRow(*columns, orjson.loads(readings), bytes(judged))  # type: ignore[call-arg]


def tags_of(asset_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return the tags of assets, for geofences that are linked by tag."""
    found = rows("SELECT id, tags FROM assets_asset WHERE id = ANY(%s::bigint[])", [[*asset_ids]])
    return {asset_id: frozenset(tags) for asset_id, tags in found}


_POSITIONS = (
    " FROM json_to_recordset(%s::json) AS o(d bigint, m timestamptz, k bigint, p timestamptz,"
    " r timestamptz, x float8, y float8, a float8, u float8, v float8, c float8, f text, t text,"
    " q jsonb, s boolean)"
)
_POINT = "CASE WHEN x IS NOT NULL THEN ST_SetSRID(ST_MakePoint(x, y), 4326) END"
_INSERT_POSITIONS = (
    "INSERT INTO positions_position (device_id, measured_at, message, reported_at, received_at,"
    " point, altitude_m, accuracy_m, speed_mps, course_deg, method, time_source, readings,"
    " is_clock_suspect)"
    f" SELECT d, m, k, p, r, {_POINT}, a, u, v, c, f, t, q, coalesce(s, false){_POSITIONS}"
    " ON CONFLICT DO NOTHING RETURNING device_id, measured_at, message"
)
_COMPLETE_POSITIONS = (
    "UPDATE positions_position p SET reported_at = o.p, received_at = o.r, time_source = o.t,"
    f" is_clock_suspect = coalesce(o.s, false){_POSITIONS}"
    " WHERE p.device_id = o.d AND p.measured_at = o.m AND p.message = o.k"
)


class _PositionJson(Struct, omit_defaults=True, gc=False):
    """A fact under the short names of `_INSERT_POSITIONS`."""

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
    s: bool = False

    @classmethod
    def of(cls, one: Fact) -> _PositionJson:
        fix = one.fix
        row = cls(
            one.device_id,
            one.measured_at,
            one.message,
            one.received_at,
            one.time_source,
            one.readings,
            p=one.reported_at,
            s=one.is_clock_suspect,
        )
        if fix:
            row.x, row.y, row.a = fix.lon_deg, fix.lat_deg, fix.altitude_m
            row.u, row.v, row.c = fix.accuracy_m, fix.speed_mps, fix.course_deg
            row.f = fix.method
        return row


class Completed(Struct, frozen=True):
    """A stored fact that a second copy completed: as it was and as it now stands."""

    former: Fact
    present: Fact


class Stored(Struct, frozen=True):
    """What storing a batch did: facts that are new, and those that a second copy completed."""

    new: dict[Identity, Fact]
    completed: dict[Identity, Completed]


class Storing(Struct, frozen=True):
    """Facts on their way into the table. `cursor` is None where there are none."""

    unique: dict[Identity, Fact]
    cursor: Any


def begin_to_store(facts: Iterable[Fact]) -> Storing:
    """Ask for the facts to be stored that are not there yet; `stored` fetches what came of it."""
    unique: dict[Identity, Fact] = {}
    for fact in facts:
        former = unique.get(fact.identity)
        unique[fact.identity] = merged(former, fact) if former else fact
    if not unique:
        return Storing(unique, None)
    document = _json([_PositionJson.of(fact) for fact in unique.values()])
    return Storing(unique, run(_INSERT_POSITIONS, [document]))


def stored(storing: Storing) -> Stored:
    """Return what was new, and let the other facts complete what was there already."""
    if storing.cursor is None:
        return Stored({}, {})
    with storing.cursor:
        inserted = set(storing.cursor.fetchall())
    if len(inserted) == len(storing.unique):
        return Stored(storing.unique, {})
    new = {name: fact for name, fact in storing.unique.items() if name in inserted}
    repeated = {name: fact for name, fact in storing.unique.items() if name not in inserted}
    return Stored(new, _complete(repeated))


def _complete(repeated: dict[Identity, Fact]) -> dict[Identity, Completed]:
    """Merge repeats into their rows. Returns only what thereby changed."""
    completed = {}
    for existing in _existing(list(repeated)):
        whole = merged(existing, repeated[existing.identity])
        if whole != existing:
            completed[whole.identity] = Completed(existing, whole)
    if completed:
        present = [_PositionJson.of(each.present) for each in completed.values()]
        run(_COMPLETE_POSITIONS, [_json(present)])
    return completed


def _existing(identities: list[Identity]) -> list[Fact]:
    found = rows(
        "SELECT p.device_id, p.measured_at, p.message, p.reported_at, p.received_at,"
        " p.time_source, p.readings::text, p.method, ST_X(p.point), ST_Y(p.point),"
        " p.altitude_m, p.accuracy_m, p.speed_mps, p.course_deg"
        " FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[]) AS k(d, m, n)"
        " JOIN positions_position p ON p.device_id = k.d AND p.measured_at = k.m"
        " AND p.message = k.n ORDER BY p.device_id, p.measured_at, p.message FOR UPDATE OF p",
        [[each[place] for each in identities] for place in range(3)],
    )
    return [_fact_of_row(*row) for row in found]


def _fact_of_row(
    device_id: int,
    measured_at: datetime,
    message: int,
    reported_at: datetime | None,
    received_at: datetime,
    time_source: TimeSource,
    readings: str,
    method: Method | None,
    *place: float | None,
) -> Fact:
    return Fact.of(
        device_id=device_id,
        measured_at=measured_at,
        message=message,
        reported_at=reported_at,
        received_at=received_at,
        time_source=time_source,
        fix=_fix_of_row(method, *place),
        readings=orjson.loads(readings),
    )


def _fix_of_row(
    method: Method | None,
    lon_deg: float | None,
    lat_deg: float | None,
    altitude_m: float | None,
    accuracy_m: float | None,
    speed_mps: float | None,
    course_deg: float | None,
) -> Fix | None:
    if method is None or lon_deg is None or lat_deg is None:
        return None
    return Fix(
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        altitude_m=altitude_m,
        accuracy_m=accuracy_m,
        speed_mps=speed_mps,
        course_deg=course_deg,
        method=method,
    )


_UPDATE_STATES = (
    "UPDATE positions_assetstate s SET device_id = o.device_id, measured_at = o.measured_at,"
    " received_at = o.received_at, fix_at = o.fix_at, newest_key = decode(o.newest_key, 'base64'),"
    " fix_key = decode(o.fix_key, 'base64'), asks_at = o.asks_at,"
    " lon_deg = o.lon_deg, lat_deg = o.lat_deg, altitude_m = o.altitude_m,"
    " accuracy_m = o.accuracy_m, speed_mps = o.speed_mps, course_deg = o.course_deg,"
    " method = o.method, motion = o.motion, motion_since = o.motion_since,"
    " estimated_speed_mps = o.estimated_speed_mps, readings = o.readings,"
    " judged = decode(o.judged, 'base64')"
    " FROM json_to_recordset(%s::json) AS o(asset_id bigint, device_id bigint,"
    " measured_at timestamptz, received_at timestamptz, fix_at timestamptz,"
    " newest_key text, fix_key text, asks_at timestamptz, lon_deg float8, lat_deg float8,"
    " altitude_m float8, accuracy_m float8, speed_mps float8, course_deg float8, method text,"
    " motion text, motion_since timestamptz, estimated_speed_mps float8, readings jsonb,"
    " judged text) WHERE s.asset_id = o.asset_id"
)


def save_states(states: Iterable[StateRow]) -> None:
    """Write back states that were locked by `lock_states` in this transaction."""
    saved = list(states)
    if saved:
        run(_UPDATE_STATES, [_json(saved)])


def newest_facts(asset_id: int) -> list[Fact]:
    """Return the facts that hold the latest of an asset: newest, newest fixes, newest readings.

    Reads the asset's whole history; for when history moved between assets, not for the road.
    """
    found = rows(_NEWEST, [asset_id])
    return _existing(found) if found else []


# Of a reading, all that were reported at once of one moment: the greatest of them counts.
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
