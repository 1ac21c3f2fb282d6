"""The columns of the live map: each column is declared once.

A new column needs only an entry in `LIVE_COLUMNS`. The query of the database, the frames of the
road, the table of the hub and the schema of the snapshot use the list; `make schema` writes the
table of docs/live-protocol.md and the console's types from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, Literal, get_args

from msgspec import Struct

from core.observation import Method, microseconds
from positions.store import StateRow

# The console and the binary frames keep 32 bits.
MAX_QUANTITY: Final = 2**31 - 1
# Read from the database where a row has a value that a column cannot hold; a float8 holds it.
UNFIT: Final = -(2**62)


class LiveColumn(Struct, frozen=True, kw_only=True):
    """A column of integers; absent is None, and NULL in SQL.

    `of_states` gets the values from states on the road, `sql` the same value from a row `s` of
    positions_assetstate, or UNFIT for a value that `of_states` leaves out; no row makes it fail. In
    a column with `choices` the integer is the place of a name among them, from 1, so that names
    may be added at the end only. Viewers receive the names.
    """

    name: str
    kind: Literal["quantity", "time", "choice"]
    unit: str
    meaning: str
    of_states: Callable[[Sequence[StateRow]], list[int | None]]
    sql: str
    choices: tuple[str, ...] = ()


def _quantity(name: str, unit: str, meaning: str, *, member: str, factor: float) -> LiveColumn:
    """Return a column for a number of the state, times `factor`; beyond 32 bits it is left out."""
    value_of = attrgetter(member)
    greatest = MAX_QUANTITY / factor

    def of_states(states: Sequence[StateRow]) -> list[int | None]:
        return [
            round(value * factor) if value is not None and -greatest <= value <= greatest else None
            for value in map(value_of, states)
        ]

    # Halves to even, in Python and of a float8 in PostgreSQL, where NaN is the greatest number.
    sql = (
        f"CASE WHEN s.{member} BETWEEN -{greatest!r} AND {greatest!r}"
        f" THEN round(s.{member} * {factor}) WHEN s.{member} IS NOT NULL THEN {UNFIT} END"
    )
    return LiveColumn(
        name=name, kind="quantity", unit=unit, meaning=meaning, of_states=of_states, sql=sql
    )


def _time(name: str, meaning: str) -> LiveColumn:
    """Return a column for the time `name` of the state, rounded down to milliseconds."""
    at_of = attrgetter(name)

    def of_states(states: Sequence[StateRow]) -> list[int | None]:
        return [None if at is None else microseconds(at) // 1000 for at in map(at_of, states)]

    return LiveColumn(
        name=name,
        kind="time",
        unit="ms since 1970",
        meaning=meaning,
        of_states=of_states,
        sql=f"CASE WHEN isfinite(s.{name}) THEN floor(extract(epoch FROM s.{name}) * 1000)"
        f" WHEN s.{name} IS NOT NULL THEN {UNFIT} END",
    )


def _choice(name: str, meaning: str, choices: tuple[str, ...]) -> LiveColumn:
    """Return a column for the text `name` of the state, which is one of `choices`."""
    code_of = {choice: code for code, choice in enumerate(choices, start=1)}
    name_of = attrgetter(name)
    listed = ", ".join(f"'{choice}'" for choice in choices)
    return LiveColumn(
        name=name,
        kind="choice",
        unit="one of " + ", ".join(f"`{choice}`" for choice in choices),
        meaning=meaning,
        of_states=lambda states: list(map(code_of.get, map(name_of, states))),
        sql=f"array_position(ARRAY[{listed}], s.{name}::text)",
        choices=choices,
    )


def _battery(state: StateRow) -> int | None:
    level: Any = state.readings.get("battery.level", (None,))[0]
    is_number = isinstance(level, (int, float)) and not isinstance(level, bool)
    return round(min(max(level, 0), 100)) if is_number else None


_LEVEL = "s.readings->'battery.level'->0"
_BATTERY = (
    f"CASE WHEN jsonb_typeof({_LEVEL}) = 'number'"
    f" THEN round(least(greatest(({_LEVEL})::numeric, 0), 100)::float8) END"
)

# An unknown motion is null.
MOTIONS: Final = ("moving", "resting")
LIVE_COLUMNS: Final = (
    _quantity("lon_e7", "1e-7 degree", "longitude of the fix", member="lon_deg", factor=1e7),
    _quantity("lat_e7", "1e-7 degree", "latitude of the fix", member="lat_deg", factor=1e7),
    _time("fix_at", "time of the fix, the newest; null where the asset never had one"),
    _time("measured_at", "time of the newest observation"),
    _time("received_at", "when the newest observation was received"),
    _quantity("speed_mms", "mm/s", "speed of the fix", member="speed_mps", factor=1e3),
    _quantity("course_cdeg", "0.01 degree", "course of the fix", member="course_deg", factor=1e2),
    _quantity("accuracy_dm", "0.1 m", "accuracy of the fix", member="accuracy_m", factor=1e1),
    _choice("method", "how the fix was found", get_args(Method)),
    _choice("motion", "motion of the asset; null if unknown", MOTIONS),
    _time("motion_since", "since when it moves or rests"),
    _quantity(
        "estimated_speed_mms",
        "mm/s",
        "speed between the last two fixes, where the device reports none",
        member="estimated_speed_mps",
        factor=1e3,
    ),
    LiveColumn(
        name="battery",
        kind="quantity",
        unit="per cent",
        meaning="the newest `battery.level`, where it is a number",
        of_states=lambda states: list(map(_battery, states)),
        sql=_BATTERY,
    ),
)
NAMES: Final = tuple(column.name for column in LIVE_COLUMNS)
