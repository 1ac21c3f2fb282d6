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

from core.observation import Fix
from core.statements import rows, run
from positions.facts import Fact, merged

_to_json = msgspec.json.Encoder().encode


def _json(rows: Any) -> str:
    return _to_json(rows).decode()


class StateRow(Struct):
    """The latest of an asset and its fold state, while its row is locked."""

    asset_id: int
    organisation_id: int
    device_id: int | None = None
    measured_at: datetime | None = None
    received_at: datetime | None = None
    fix_at: datetime | None = None
    fix_device_id: int | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    altitude_m: float | None = None
    accuracy_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    method: str | None = None
    readings: dict[str, Any] = {}
    fold: bytes = b""


_STATE_COLUMNS = StateRow.__struct_fields__
_SELECT_STATES = (
    "SELECT "
    + ", ".join(f"s.{name}" for name in _STATE_COLUMNS[:-2])
    + ", s.readings::text, s.fold FROM positions_assetstate s"
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
        "INSERT INTO positions_assetstate (asset_id, organisation_id, readings, fold)"
        " SELECT id, organisation_id, '{}', '' FROM assets_asset WHERE id = ANY(%s::bigint[])"
        " ORDER BY id ON CONFLICT DO NOTHING",
        [wanted],
    )
    # All again: the order of locks must hold for the new rows, too.
    return states_of(ask_for_states(wanted))


def _state(row: tuple[Any, ...]) -> StateRow:
    # The columns stand in the order of the members.
    *columns, readings, fold = row
    return StateRow(*columns, orjson.loads(readings), bytes(fold))  # type: ignore[call-arg]


def tags_of(asset_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return the tags of assets, for geofences that are linked by tag."""
    found = rows("SELECT id, tags FROM assets_asset WHERE id = ANY(%s::bigint[])", [[*asset_ids]])
    return {asset_id: frozenset(tags) for asset_id, tags in found}


_POSITIONS = (
    " FROM json_to_recordset(%s::json) AS o(d bigint, m timestamptz, r timestamptz, x float8,"
    " y float8, a float8, u float8, v float8, c float8, f text, t text, q jsonb, s boolean)"
)
_POINT = "CASE WHEN x IS NOT NULL THEN ST_SetSRID(ST_MakePoint(x, y), 4326) END"
_INSERT_POSITIONS = (
    "INSERT INTO positions_position (device_id, measured_at, received_at, point, altitude_m,"
    " accuracy_m, speed_mps, course_deg, method, time_source, readings, is_clock_suspect)"
    f" SELECT d, m, r, {_POINT}, a, u, v, c, f, t, q, coalesce(s, false){_POSITIONS}"
    " ON CONFLICT DO NOTHING RETURNING device_id, measured_at"
)
_OVERWRITE_POSITIONS = (
    f"UPDATE positions_position p SET received_at = r, point = {_POINT}, altitude_m = a,"
    " accuracy_m = u, speed_mps = v, course_deg = c, method = f, time_source = t, readings = q,"
    f" is_clock_suspect = coalesce(s, false){_POSITIONS}"
    " WHERE p.device_id = o.d AND p.measured_at = o.m"
)


class _PositionJson(Struct, omit_defaults=True, gc=False):
    """A fact under the short names of `_INSERT_POSITIONS`."""

    d: int
    m: datetime
    r: datetime
    t: str
    q: dict[str, Any]
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
            one.received_at,
            one.time_source,
            one.readings,
            s=one.is_clock_suspect,
        )
        if fix:
            row.x, row.y, row.a = fix.lon_deg, fix.lat_deg, fix.altitude_m
            row.u, row.v, row.c = fix.accuracy_m, fix.speed_mps, fix.course_deg
            row.f = fix.method
        return row


class Stored(Struct, frozen=True):
    """What storing a batch did: facts that are new, and those that a second copy completed.

    `changed` holds the facts as they now stand.
    """

    new: dict[tuple[int, datetime], Fact]
    changed: dict[tuple[int, datetime], Fact]


class Storing(Struct, frozen=True):
    """Facts on their way into the table. `cursor` is None where there are none."""

    unique: dict[tuple[int, datetime], Fact]
    cursor: Any


def begin_to_store(facts: Iterable[Fact]) -> Storing:
    """Ask for the facts to be stored that are not there yet; `stored` fetches what came of it."""
    unique: dict[tuple[int, datetime], Fact] = {}
    for fact in facts:
        former = unique.get(fact.key)
        unique[fact.key] = merged(former, fact) if former else fact
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
    new = {key: fact for key, fact in storing.unique.items() if key in inserted}
    repeated = {key: fact for key, fact in storing.unique.items() if key not in inserted}
    return Stored(new, _complete(repeated))


def _complete(repeated: dict[tuple[int, datetime], Fact]) -> dict[tuple[int, datetime], Fact]:
    """Merge repeats into their rows. Returns only what thereby changed."""
    changed = {}
    for existing in _existing(list(repeated)):
        whole = merged(existing, repeated[existing.key])
        # Spelled as it would be stored, so that 1 and 1.0 in a reading differ.
        if _json(_PositionJson.of(whole)) != _json(_PositionJson.of(existing)):
            changed[whole.key] = whole
    if changed:
        _overwrite(list(changed.values()))
    return changed


def _existing(keys: list[tuple[int, datetime]]) -> list[Fact]:
    found = rows(
        "SELECT p.device_id, p.measured_at, p.received_at, p.time_source, ST_X(p.point),"
        " ST_Y(p.point), p.altitude_m, p.accuracy_m, p.speed_mps, p.course_deg, p.method,"
        " p.readings::text FROM unnest(%s::bigint[], %s::timestamptz[]) AS k(d, m)"
        " JOIN positions_position p ON p.device_id = k.d AND p.measured_at = k.m"
        " ORDER BY p.device_id, p.measured_at FOR UPDATE OF p",
        [[device_id for device_id, _ in keys], [at for _, at in keys]],
    )
    return [_fact_of_row(row) for row in found]


def _fact_of_row(row: tuple[Any, ...]) -> Fact:
    device_id, measured_at, received_at, time_source, lon, lat, *rest, method, readings = row
    altitude, accuracy, speed, course = rest
    fix = None
    if lon is not None:
        fix = Fix(
            lon_deg=lon,
            lat_deg=lat,
            altitude_m=altitude,
            accuracy_m=accuracy,
            speed_mps=speed,
            course_deg=course,
            method=method,
        )
    return Fact.of(
        device_id=device_id,
        measured_at=measured_at,
        received_at=received_at,
        time_source=time_source,
        fix=fix,
        readings=orjson.loads(readings),
    )


def _overwrite(facts: list[Fact]) -> None:
    run(_OVERWRITE_POSITIONS, [_json([_PositionJson.of(fact) for fact in facts])])


_UPDATE_STATES = (
    "UPDATE positions_assetstate s SET device_id = o.device_id, measured_at = o.measured_at,"
    " received_at = o.received_at, fix_at = o.fix_at, fix_device_id = o.fix_device_id,"
    " lon_deg = o.lon_deg, lat_deg = o.lat_deg, altitude_m = o.altitude_m,"
    " accuracy_m = o.accuracy_m, speed_mps = o.speed_mps, course_deg = o.course_deg,"
    " method = o.method, readings = o.readings, fold = decode(o.fold, 'base64')"
    " FROM json_to_recordset(%s::json) AS o(asset_id bigint, device_id bigint,"
    " measured_at timestamptz, received_at timestamptz, fix_at timestamptz,"
    " fix_device_id bigint, lon_deg float8, lat_deg float8, altitude_m float8,"
    " accuracy_m float8, speed_mps float8, course_deg float8, method text, readings jsonb,"
    " fold text) WHERE s.asset_id = o.asset_id"
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
    found = rows(
        "WITH mine AS MATERIALIZED (SELECT p.* FROM assets_assignment a"
        " JOIN positions_position p ON p.device_id = a.device_id AND p.measured_at <@ a.during"
        " WHERE a.asset_id = %s AND NOT p.is_clock_suspect),"
        " keys AS ((SELECT device_id, measured_at FROM mine"
        " ORDER BY measured_at DESC, device_id DESC LIMIT 1)"
        " UNION (SELECT device_id, measured_at FROM mine WHERE point IS NOT NULL"
        " ORDER BY measured_at DESC LIMIT 5)"
        " UNION (SELECT device_id, measured_at FROM (SELECT DISTINCT ON (r.key) r.key,"
        " device_id, measured_at FROM mine, jsonb_object_keys(readings) AS r(key)"
        " ORDER BY r.key, measured_at DESC, device_id DESC) newest))"
        " SELECT device_id, measured_at FROM keys",
        [asset_id],
    )
    return _existing(found) if found else []
