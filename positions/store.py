"""The statements of the road on the memory: a constant number for a batch of any size.

All run in the caller's transaction on Django's connection. Rows of assets are locked
in id order, so that any number of processes may handle the same asset.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, LiteralString

import msgspec
import orjson
from msgspec import Struct

from core.observation import Fix, Method, TimeSource, Value
from core.statements import records, records_of, recordset, rows, run
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
_READ_AS = {"readings": "s.readings::text AS readings"}
_SELECT_STATES = (
    f"SELECT {', '.join(_READ_AS.get(name, f's.{name}') for name in _STATE_COLUMNS)}"
    " FROM positions_assetstate s"
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
        states = records_of(StateRow, cursor, readings=orjson.loads)
    return {state.asset_id: state for state in states}


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


def tags_of(asset_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return the tags of assets, for geofences that are linked by tag."""
    found = rows("SELECT id, tags FROM assets_asset WHERE id = ANY(%s::bigint[])", [[*asset_ids]])
    return {asset_id: frozenset(tags) for asset_id, tags in found}


class _PositionJson(Struct, omit_defaults=True, gc=False):
    """A fact under short names, as it goes to the database."""

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


# The columns beside the key, each with what it is of a `_PositionJson`.
_CONTENT: dict[LiteralString, LiteralString] = {
    "received_at": "r",
    "point": "CASE WHEN x IS NOT NULL THEN ST_SetSRID(ST_MakePoint(x, y), 4326) END",
    "altitude_m": "a",
    "accuracy_m": "u",
    "speed_mps": "v",
    "course_deg": "c",
    "method": "f",
    "time_source": "t",
    "readings": "q",
    "is_clock_suspect": "coalesce(s, false)",
}
_INSERT_POSITIONS = (
    f"INSERT INTO positions_position (device_id, measured_at, {', '.join(_CONTENT)})"
    f" SELECT d, m, {', '.join(_CONTENT.values())} FROM {recordset(_PositionJson)}"
    " ON CONFLICT DO NOTHING RETURNING device_id, measured_at"
)
_OVERWRITE_POSITIONS = (
    "UPDATE positions_position p"
    f" SET {', '.join(f'{column} = {value}' for column, value in _CONTENT.items())}"
    f" FROM {recordset(_PositionJson)} WHERE p.device_id = o.d AND p.measured_at = o.m"
)


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
    return records(
        _fact,
        "SELECT p.device_id, p.measured_at, p.received_at, p.time_source,"
        " ST_X(p.point) AS lon_deg, ST_Y(p.point) AS lat_deg, p.altitude_m, p.accuracy_m,"
        " p.speed_mps, p.course_deg, p.method, p.readings::text AS readings"
        " FROM unnest(%s::bigint[], %s::timestamptz[]) AS k(d, m)"
        " JOIN positions_position p ON p.device_id = k.d AND p.measured_at = k.m"
        " ORDER BY p.device_id, p.measured_at FOR UPDATE OF p",
        [[device_id for device_id, _ in keys], [at for _, at in keys]],
        readings=orjson.loads,
    )


def _fact(
    device_id: int,
    measured_at: datetime,
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
        received_at=received_at,
        time_source=time_source,
        fix=fix,
        readings=readings,
    )


def _overwrite(facts: list[Fact]) -> None:
    run(_OVERWRITE_POSITIONS, [_json([_PositionJson.of(fact) for fact in facts])])


_WRITTEN_AS = {"fold": "decode(o.fold, 'base64')"}
_UPDATE_STATES = (
    "UPDATE positions_assetstate s SET "
    + ", ".join(f"{name} = {_WRITTEN_AS.get(name, f'o.{name}')}" for name in _STATE_COLUMNS[2:])
    + f" FROM {recordset(StateRow)} WHERE s.asset_id = o.asset_id"
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
