"""`manage.py judge` and a second judge, written from the rules alone, say the same of any track."""

from __future__ import annotations

import io
import json
import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from tests.geofence import oracle
from tests.geofence.oracle import Area, Fix, Near, Options
from tests.laws import examples

EXAMPLES = examples(40)
TRACKS = Path(__file__).parents[2] / "fixtures" / "tracks"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
Metres = tuple[float, float]

# Where everything happens: plain, on the equator, far north, and over the antimeridian.
MIDDLES = [(9.73, 52.37), (20.0, 0.0), (15.2, 78.2), (180.0, -17.3)]


class Case(Struct):
    """A geofence as GeoJSON, how the oracle sees it, and how far the two may be apart in metres."""

    feature: dict[str, Any]
    area: Area
    tolerance_m: float


class Plane:
    """Metres east and north of a middle, to degrees."""

    def __init__(self, middle: tuple[float, float]) -> None:
        self.lon, self.lat = middle
        self.east_m, self.north_m = 111_320 * math.cos(math.radians(self.lat)), 110_574.0

    def degrees(self, metres: Metres) -> list[float]:
        return [self.lon + metres[0] / self.east_m, self.lat + metres[1] / self.north_m]

    def ring(self, corners: list[Metres]) -> list[list[float]]:
        return [self.degrees(corner) for corner in [*corners, corners[0]]]


def within_180(lon_deg: float) -> float:
    return (lon_deg + 180.0) % 360.0 - 180.0


@st.composite
def stars(draw: st.DrawFn, low_m: float = 30.0, high_m: float = 150.0) -> list[Metres]:
    """Corners around the middle, seen from it in order: never crossing, hardly ever convex."""
    reaches = draw(st.lists(st.floats(low_m, high_m), min_size=3, max_size=9))
    turns = [2 * math.pi * number / len(reaches) for number in range(len(reaches))]
    return [
        (reach * math.cos(turn), reach * math.sin(turn))
        for reach, turn in zip(reaches, turns, strict=True)
    ]


def moved(corners: list[Metres], east_m: float) -> list[Metres]:
    return [(east + east_m, north) for east, north in corners]


@st.composite
def polygons(draw: st.DrawFn, plane: Plane, cap_m: float) -> Case:
    kind = draw(st.sampled_from(["star", "hole", "two"]))
    parts = [[draw(stars(low_m=100.0 if kind == "hole" else 30.0))]]
    if kind == "hole":
        parts[0].append(draw(stars(low_m=10.0, high_m=45.0)))
    if kind == "two":
        parts.append([moved(draw(stars()), 301.0)])
    rings = [[plane.ring(corners) for corners in part] for part in parts]
    # Over the antimeridian it may be drawn on to 181, or be told from -179 as neighbours are near.
    is_wrapped = draw(st.booleans())
    shown = [
        [[[within_180(lon) if is_wrapped else lon, lat] for lon, lat in ring] for ring in part]
        for part in rings
    ]
    geometry = (
        {"type": "Polygon", "coordinates": shown[0]}
        if len(shown) == 1
        else {"type": "MultiPolygon", "coordinates": shown}
    )
    return Case(_feature(geometry), Area(rings, cap_m), 0.05)


@st.composite
def around_lines(draw: st.DrawFn, plane: Plane, cap_m: float) -> Case:
    place = st.tuples(st.floats(-150, 150), st.floats(-150, 150))
    corners = draw(st.lists(place, min_size=1, max_size=3, unique=True))
    reach_m = draw(st.floats(20, 120))
    line = [plane.degrees(corner) for corner in corners]
    # Corners may differ by less than degrees can tell.
    if all(corner == line[0] for corner in line):
        circle = {"type": "Point", "coordinates": line[0]}
        feature, tolerance_m = _feature(circle, radius_m=reach_m), 0.5 + 0.002 * reach_m
    else:
        corridor = {"type": "LineString", "coordinates": line}
        # Its outline is true to 1 m and 1 % of the width.
        feature, tolerance_m = _feature(corridor, width_m=2 * reach_m), 1.0 + 0.025 * reach_m
    return Case(feature, Near([(lon, lat) for lon, lat in line], reach_m, cap_m), tolerance_m)


def _feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


ACCURACIES_M = st.one_of(st.none(), st.just(0.0), st.floats(1, 60), st.floats(60, 900))
OPTIONS = st.builds(
    Options,
    persist_fixes=st.integers(1, 3),
    persist_s=st.sampled_from([0.0, 0.5, 30.0, 60.0, 61.0, 200.0]),
    passes=st.booleans(),
    max_gap_s=st.sampled_from([0.0, 30.0, 59.5, 60.0, 300.0]),
    max_accuracy_m=st.sampled_from([None, 0.0, 50.0, 300.0]),
)


@st.composite
def tracks(draw: st.DrawFn, plane: Plane) -> list[Fix]:
    place = st.tuples(st.floats(-330, 460), st.floats(-330, 330))
    steps = st.tuples(st.sampled_from([0.5, 1, 30, 59.5, 60, 301]), place, ACCURACIES_M)
    fixes, at_us = [], 0
    for seconds, metres, accuracy_m in draw(st.lists(steps, min_size=1, max_size=14)):
        at_us += round(seconds * 1e6)
        lon, lat = plane.degrees(metres)
        fixes.append(Fix(at_us, within_180(lon), lat, accuracy_m))
    return fixes


def is_clear(fix: Fix, case: Case) -> bool:
    """Whether the two judges cannot differ about the fix because of how they measure."""
    counted_m = min(fix.accuracy_m or 0.0, case.area.cap_m)
    return oracle.margin_m(fix, case.area) > case.tolerance_m + 0.004 * counted_m


def is_grazed(fixes: list[Fix], case: Case) -> bool:
    """Whether some way just misses the round edge, or just does not."""
    if not isinstance(case.area, Near):
        return False
    area = case.area
    ways = pairwise(fixes)
    return any(abs(area.way_m(a, b) - area.reach_m) < case.tolerance_m + 4.0 for a, b in ways)


def instant_us(text: str) -> int:
    return round((datetime.fromisoformat(text) - START) / MICROSECOND)


def text_of(at_us: int) -> str:
    return (START + at_us * MICROSECOND).isoformat().replace("+00:00", "Z")


def judged(
    folder: Path, rows: list[list[Any]], features: list[Any], options: Options, cap_m: float
) -> list[dict[str, Any]]:
    track = {"columns": ["lon_deg", "lat_deg", "measured_at", "accuracy_m"], "rows": rows}
    (folder / "track").write_text(json.dumps(track))
    geofences = {"type": "FeatureCollection", "features": features}
    (folder / "geofences").write_text(json.dumps(geofences))
    arguments = [
        f"--track={folder / 'track'}",
        f"--geofences={folder / 'geofences'}",
        f"--persist-fixes={options.persist_fixes}",
        f"--persist-s={options.persist_s}",
        f"--max-gap-s={options.max_gap_s}",
        f"--accuracy-cap-m={cap_m}",
    ]
    if options.max_accuracy_m is not None:
        arguments.append(f"--max-accuracy-m={options.max_accuracy_m}")
    if options.passes:
        arguments.append("--pass-through")
    out = io.StringIO()
    call_command("judge", *arguments, stdout=out)
    found: list[dict[str, Any]] = json.loads(out.getvalue())
    return found


def plain(crossing: dict[str, Any]) -> tuple[Any, ...]:
    """What both must say to the microsecond; estimates are compared apart."""
    return (
        crossing["kind"],
        crossing["at"],
        crossing["not_before"],
        crossing["not_after"],
        crossing["inferred"],
    )


def in_us(crossing: dict[str, Any]) -> dict[str, Any]:
    times = ("at", "not_before", "not_after", "entered", "left")
    return crossing | {name: instant_us(crossing[name]) for name in times if name in crossing}


def estimates(crossing: dict[str, Any]) -> list[float]:
    if crossing["kind"] == "pass":
        return [crossing["entered"], crossing["left"]]
    estimate = crossing["estimate"]
    return [instant_us(estimate) if isinstance(estimate, str) else estimate]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("judged")


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_judge_written_from_the_rules_alone_says_the_same(
    folder: Path, data: st.DataObject
) -> None:
    plane = Plane(data.draw(st.sampled_from(MIDDLES)))
    cap_m = data.draw(st.sampled_from([0.0, 7.0, 25.0, 1000.0]))
    shape = st.one_of(polygons(plane, cap_m), around_lines(plane, cap_m))
    cases = data.draw(st.lists(shape, min_size=1, max_size=2))
    options = data.draw(OPTIONS)
    drawn = data.draw(tracks(plane))
    fixes = [fix for fix in drawn if all(is_clear(fix, case) for case in cases)]
    rows = [[fix.lon, fix.lat, text_of(fix.at_us), fix.accuracy_m] for fix in fixes]
    rows = data.draw(st.permutations(rows + rows[: data.draw(st.integers(0, 2))]))

    printed = judged(folder, rows, [c.feature for c in cases], options, cap_m) if rows else []

    moments = [instant_us(one["at"]) for one in printed]
    assert moments == sorted(moments)
    for number, case in enumerate(cases):
        if is_grazed(fixes, case):
            continue
        ours = [in_us(one) for one in printed if one["geofence"] == number]
        expected = oracle.crossings(fixes, case.area, options)
        assert [plain(one) for one in ours] == [plain(one) for one in expected]
        for one, other in zip(ours, expected, strict=True):
            # A corner of a circle or corridor of ours is not quite round.
            loose = 0.2 if isinstance(case.area, Near) else 1e-6
            window_us = one["not_after"] - one["not_before"]
            for mine, theirs in zip(estimates(one), estimates(other), strict=True):
                assert abs(mine - theirs) <= 2 + loose * window_us


@pytest.mark.parametrize("name", ["car-drive", "lake-outing"])
@pytest.mark.parametrize(
    "options",
    [Options(passes=True, max_gap_s=30.0), Options(persist_fixes=2, persist_s=20.0, passes=True)],
    ids=["at once", "persistent"],
)
def test_a_judge_written_from_the_rules_alone_says_the_same_of_recorded_tracks(
    folder: Path, name: str, options: Options
) -> None:
    recorded = json.loads((TRACKS / f"{name}.json").read_text())["rows"]
    fixes = [
        Fix(instant_us(at), lon, lat, 3.0 + number % 5)
        for number, (lon, lat, _, at) in enumerate(recorded)
    ]
    # A yard of 180 m around each twentieth fix, and in each a pond of 60 m.
    planes = [Plane((fix.lon, fix.lat)) for fix in fixes[::20]]
    yards = [[[plane.ring(_square(half)) for half in (90.003, 30.007)]] for plane in planes]
    features = [_feature({"type": "Polygon", "coordinates": rings[0]}) for rings in yards]
    areas = [Area(rings, 5.0) for rings in yards]
    fixes = [fix for fix in fixes if all(oracle.margin_m(fix, area) > 0.05 for area in areas)]
    rows = [[fix.lon, fix.lat, text_of(fix.at_us), fix.accuracy_m] for fix in fixes]

    printed = [in_us(one) for one in judged(folder, rows, features, options, cap_m=5.0)]

    expected = [oracle.crossings(fixes, area, options) for area in areas]
    found = [[plain(one) for one in printed if one["geofence"] == n] for n in range(len(areas))]
    assert found == [[plain(one) for one in crossings] for crossings in expected]
    assert any(expected)


def _square(half_m: float) -> list[Metres]:
    return [(-half_m, -half_m), (half_m, -half_m), (half_m, half_m), (-half_m, half_m)]
