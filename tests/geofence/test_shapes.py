"""What may be drawn, what is refused and in what words."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused, Unprocessable
from geofence import limits
from geofence.shape_simplifying import simplification_offer, simplified_shape
from geofence.shapes import area_of, inradius_m, shape_of_geojson
from tests.geofence.shapes import (
    box,
    box_ring,
    circle,
    corridor,
    polygon,
    ring,
    round_ring,
    scribble,
)


def refusal(shape: Any) -> Refused:
    with pytest.raises(Unprocessable) as caught:
        area_of(shape)
    return caught.value


def holds(area: shapely.MultiPolygon, lon: float, lat: float) -> bool:
    return bool(shapely.intersects_xy(area, lon, lat))


def test_a_polygon_is_judged_exactly_as_drawn():
    area = area_of(box(9, 52, 10, 53))

    assert shapely.equals(area, shapely.box(9, 52, 10, 53))


def test_either_winding_is_the_same_area():
    clockwise = polygon(list(reversed(box_ring(9, 52, 10, 53))))

    assert shapely.equals(area_of(clockwise), area_of(box(9, 52, 10, 53)))


def test_a_multipolygon_keeps_its_parts_and_holes():
    shape = {
        "type": "multipolygon",
        "coordinates": [
            [box_ring(0, 0, 10, 10), box_ring(4, 4, 6, 6)],
            [box_ring(20, 0, 30, 10)],
        ],
    }

    area = area_of(shape)

    assert len(area.geoms) == 2
    assert area.area == pytest.approx(100 - 4 + 100)


@pytest.mark.fault("F-067")
@pytest.mark.parametrize(
    ("place", "lonlat", "is_inside"),
    [
        ("in the hole", (5, 5), False),
        ("on the shell line", (0, 5), True),
        ("on the hole line", (4, 5), True),
        ("on a corner of the shell", (0, 0), True),
        ("on a corner of the hole", (4, 4), True),
        ("between the two", (2, 2), True),
        ("outside", (11, 5), False),
    ],
)
def test_the_edge_is_inside_and_the_hole_is_not(place, lonlat, is_inside):
    area = area_of(polygon(box_ring(0, 0, 10, 10), box_ring(4, 4, 6, 6)))

    assert holds(area, *lonlat) is is_inside, place


def test_minus_zero_is_zero():
    area = area_of(polygon(ring((-0.0, -0.0), (1, 0), (1, 1))))

    assert all(math.copysign(1, value) == 1 for value in shapely.get_coordinates(area).ravel())


def test_points_that_come_twice_in_a_row_are_tolerated():
    area = area_of(polygon(ring((0, 0), (0, 0), (1, 0), (1, 1), (1, 1))))

    assert area.area == pytest.approx(0.5)


# --- what is refused ------------------------------------------------------------


@pytest.mark.fault("F-057")
def test_a_bow_tie_is_refused_with_reason_and_place():
    error = refusal(polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]))

    assert error.code == "geometry-invalid"
    assert "Self-intersection at longitude 0.5, latitude 0.5" in error.detail


@pytest.mark.fault("F-058")
@pytest.mark.parametrize(
    "rings",
    [[scribble(4000)], [scribble(1000, seed) for seed in range(4)]],
    ids=["in one ring", "in four"],
)
def test_4000_points_that_cross_themselves_are_refused(rings):
    error = refusal(polygon(*rings))

    assert error.code in ("geometry-invalid", "too-many-points")


@pytest.mark.fault("F-059")
def test_a_million_points_are_refused_by_counting_them():
    huge = round_ring((0, 0), 1, 1_000_001)

    assert refusal(polygon(huge)).code == "too-many-points"


@pytest.mark.fault("F-060")
def test_a_shape_at_every_limit_is_accepted():
    per_ring = limits.RING_POINTS
    centers = [(float(lon), 0.0) for lon in range(limits.SHAPE_POINTS // per_ring)]
    shape = {
        "type": "multipolygon",
        "coordinates": [[round_ring(center, 0.4, per_ring)] for center in centers],
    }

    assert shapely.get_num_coordinates(area_of(shape)) == limits.SHAPE_POINTS


@pytest.mark.parametrize(
    "shape",
    [
        polygon(round_ring((0, 0), 1, limits.RING_POINTS + 1)),
        polygon(*[round_ring((0, 0), 1, limits.RING_POINTS) for _ in range(6)]),
        polygon(box_ring(0, 0, 90, 80), *[box_ring(i, i, i + 0.5, i + 0.5) for i in range(64)]),
        {"type": "multipolygon", "coordinates": [[box_ring(i, 0, i + 0.5, 1)] for i in range(65)]},
        corridor(10, *[(i / 1000, 0.0) for i in range(limits.LINE_POINTS + 1)]),
    ],
    ids=["a ring", "a shape", "rings", "parts", "a line"],
)
def test_one_more_than_the_limit_is_refused(shape):
    assert refusal(shape).code == "too-many-points"


@pytest.mark.fault("F-061")
@pytest.mark.parametrize(
    "coordinates",
    [
        None,
        [],
        [[]],
        "0 0, 1 1",
        7,
        {},
        [[[0, 0], [1, 1]]],
        [[[0, 0], [1, 0], [0, 0]]],
        [[[0, 0], [1, 0], [1, 1], [0, 1]]],
        [[0, 0], [1, 0], [1, 1], [0, 0]],
        [[[[0, 0], [1, 0], [1, 1], [0, 0]]]],
        [[["0", "0"], ["1", "0"], ["1", "1"], ["0", "0"]]],
        [[[0, 0], [True, 0], [1, 1], [0, 0]]],
        [[[0, 0], [1, 0, 5, 6], [1, 1], [0, 0]]],
        [[[0, 0], [1], [1, 1], [0, 0]]],
        [[[0, 0], None, [1, 1], [0, 0]]],
    ],
)
def test_what_is_no_ring_is_refused(coordinates):
    assert refusal({"type": "polygon", "coordinates": coordinates}).code == "geometry-invalid"


@pytest.mark.parametrize(
    "shape",
    [
        None,
        "POLYGON((0 0,1 0,1 1,0 0))",
        [],
        {},
        {"type": "polygon"},
        {"type": "star", "coordinates": []},
        {"type": ["polygon"], "coordinates": []},
        {"type": "circle", "center": [0, 0]},
        {"type": "circle", "center": "here", "radius_m": 5},
        {"type": "circle", "center": [0, 0], "radius_m": 5, "colour": "red"},
        {"type": "corridor", "coordinates": [[0, 0]], "width_m": 5},
        {"type": "corridor", "coordinates": [[1, 1], [1, 1]], "width_m": 5},
    ],
)
def test_what_is_no_shape_is_refused(shape):
    assert refusal(shape).code == "geometry-invalid"


@pytest.mark.parametrize("corners", [[(0, 0), (1, 1), (2, 2)], [(0, 0), (0, 0), (0, 0)]])
def test_a_ring_without_area_is_refused(corners):
    assert refusal(polygon(ring(*corners))).code == "geometry-invalid"


@pytest.mark.fault("F-055", "F-062")
@pytest.mark.parametrize(
    ("lonlat", "pointer"),
    [
        ((1, 90.000001), "/coordinates/0/1/1"),
        ((500, 0), "/coordinates/0/1/0"),
        ((math.inf, 0), "/coordinates/0/1/0"),
        ((1, -math.inf), "/coordinates/0/1/1"),
        ((math.nan, 0), "/coordinates/0/1/0"),
        ((10**400, 0), "/coordinates/0/1/0"),
    ],
)
def test_a_coordinate_out_of_range_is_refused_at_its_place(lonlat, pointer):
    error = refusal(polygon([[0, 0], list(lonlat), [1, 1], [0, 0]]))

    assert error.code == "out-of-range"
    assert [fault.pointer for fault in error.faults] == [pointer]


@pytest.mark.fault("F-056")
def test_the_ends_of_the_earth_are_in_range():
    area = area_of(polygon(ring((-180, -90), (180, -90), (180, 90), (-180, 90))))

    assert all(holds(area, lon, lat) for lon in (-180, 180, -0.0) for lat in (-90, 90))


@pytest.mark.fault("F-069")
@pytest.mark.parametrize("radius_m", [0, -5, 1e9, None, "50", True, math.nan])
def test_a_circle_of_no_sensible_radius_is_refused(radius_m):
    error = refusal(circle((9.7, 52.4), radius_m))

    assert error.faults[0].pointer == "/radius_m"


@pytest.mark.parametrize("width_m", [0, -1, 0.5, 50_001, None])
def test_a_corridor_of_no_sensible_width_is_refused(width_m):
    assert refusal(corridor(width_m, (0, 0), (1, 1))).faults[0].pointer == "/width_m"


def test_a_corridor_around_half_the_earth_is_refused():
    line = [(lon, 0.0) for lon in range(0, 100, 10)]

    assert refusal(corridor(10, *line)).code == "out-of-range"


# --- GeoJSON ---------------------------------------------------------------------


def test_geojson_becomes_a_shape_and_loses_its_altitudes():
    triangle = [[[0, 0, 100], [1, 0, 100], [1, 1, 100], [0, 0, 100]]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": triangle}}

    assert shape_of_geojson(feature) == polygon([[0, 0], [1, 0], [1, 1], [0, 0]])


@pytest.mark.fault("F-064")
@pytest.mark.parametrize(
    "geometry",
    [
        "POLYGON((0 0,1 0,1 1,0 0))",
        "SRID=3857;POLYGON((0 0,1 0,1 1,0 0))",
        "0103000000000000",
        {"type": "Polygon", "coordinates": [box_ring(0, 0, 1, 1)], "crs": {"type": "name"}},
        {"type": "Point", "coordinates": [0, 0]},
        {"type": "FeatureCollection", "features": []},
        {"type": "Feature", "geometry": {"type": "Feature", "geometry": None}},
        [],
    ],
)
def test_only_polygons_in_geojson_are_geojson(geometry):
    with pytest.raises(Unprocessable) as caught:
        shape_of_geojson(geometry)

    assert caught.value.code == "not-geojson"


@pytest.mark.fault("F-063")
def test_a_deep_geometry_collection_is_refused_without_descending():
    nested: dict[str, Any] = {"type": "Point", "coordinates": [0, 0]}
    for _ in range(500):
        nested = {"type": "GeometryCollection", "geometries": [nested]}

    with pytest.raises(Unprocessable) as caught:
        shape_of_geojson(nested)

    assert caught.value.code == "not-geojson"


numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.integers(), st.booleans(), st.none()
)
points = st.one_of(st.lists(numbers, max_size=3), numbers, st.text(max_size=3))
anything = st.recursive(points, lambda inner: st.lists(inner, max_size=5), max_leaves=40)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["polygon", "multipolygon", "circle", "corridor", 1, None])},
        optional={
            "coordinates": anything,
            "center": anything,
            "radius_m": numbers,
            "width_m": numbers,
        },
    )
)
@pytest.mark.fault("F-061")
def test_any_document_is_a_valid_area_or_refused(shape):
    with suppress(Unprocessable):
        assert area_of(shape).is_valid


# --- inradius and simplifying -----------------------------------------------------


def test_the_inradius_of_a_yard_is_half_its_narrow_side():
    yard = area_of(box(9.73, 52.37, 9.74, 52.371))

    assert inradius_m(yard) == pytest.approx(111.3 / 2, rel=0.02)


def test_the_inradius_of_circle_and_corridor_is_known():
    disc, road = circle((9.7, 52.4), 250), corridor(30, (9.7, 52.4), (9.8, 52.4))

    assert inradius_m(area_of(disc), disc) == 250
    assert inradius_m(area_of(road), road) == 15


def test_the_inradius_is_found_across_the_antimeridian():
    inland, across = box(9, 0, 11, 1), box(179, 0, 181, 1)

    assert inradius_m(area_of(across)) == pytest.approx(inradius_m(area_of(inland)), rel=0.02)


def test_the_inradius_of_a_polar_cap_is_its_radius():
    cap = polygon(ring((-180, 80), (0, 80), (180, 80), (180, 90), (-180, 90)))

    assert inradius_m(area_of(cap)) == pytest.approx(10 * 111_320, rel=0.02)


def test_the_inradius_of_a_belt_around_the_earth_is_guessed():
    around = [-180, -90, 0, 90, 180]
    belt = polygon(ring(*((lon, -10) for lon in around), *((lon, 10) for lon in around[::-1])))

    assert inradius_m(area_of(belt)) == pytest.approx(20 * 111_320 / 4, rel=0.02)


def test_a_shape_with_too_many_points_is_offered_simpler():
    shape = polygon(round_ring((9.7, 52.4), 0.1, 4000))

    simple = simplified_shape(shape)

    assert simple.points <= limits.RING_POINTS
    assert simple.tolerance_m <= 1
    original = shapely.Polygon(shape["coordinates"][0])
    assert area_of(simple.shape).area == pytest.approx(original.area, rel=1e-4)
    assert "tolerance of" in simplification_offer(shape)


def test_a_shape_that_fits_is_not_changed_by_more_than_rounding():
    simple = simplified_shape(box(9, 52, 10, 53))

    assert simple.tolerance_m == 0
    assert shapely.equals(area_of(simple.shape), shapely.box(9, 52, 10, 53))


def test_a_shape_that_crosses_itself_at_every_scale_is_not_offered():
    assert simplification_offer(polygon(scribble(9000))) == ""


@pytest.mark.parametrize(
    ("shape", "code", "pointer"),
    [
        (polygon([]), "geometry-invalid", "/coordinates/0"),
        (polygon(7), "geometry-invalid", "/coordinates/0"),
        (polygon([[9, 52]] * 10_001), "too-many-points", "/coordinates/0"),
        (corridor(0.5, (9, 52), (10, 52)), "out-of-range", "/width_m"),
    ],
)
def test_a_shape_that_nothing_makes_valid_is_refused_as_it_is(shape, code, pointer):
    with pytest.raises(Unprocessable) as caught:
        simplified_shape(shape)

    (fault,) = caught.value.faults
    assert (fault.code, fault.pointer) == (code, pointer)


def test_a_circle_is_simple():
    disc = circle((9.7, 52.4), 250)

    assert simplified_shape(disc).shape == disc


def test_a_hole_smaller_than_the_tolerance_is_dropped():
    shell, hole = round_ring((9.7, 52.4), 1.0, 4000), round_ring((9.7, 52.4), 1e-6, 4000)

    simple = simplified_shape(polygon(shell, hole), 100)

    assert len(simple.shape["coordinates"]) == 1


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (None, "geometry-invalid"),
        ({"type": "Polygon"}, "geometry-invalid"),
        ({"type": "Point", "coordinates": [9, 52]}, "not-geojson"),
    ],
)
def test_a_geojson_that_is_no_area_is_refused(geometry, code):
    with pytest.raises(Unprocessable) as caught:
        shape_of_geojson(geometry)

    assert caught.value.faults[0].code == code


def test_a_geojson_beyond_every_limit_is_refused_for_its_size():
    shape = shape_of_geojson({"type": "Polygon", "coordinates": [[[9, 52, 0]] * 10_001]})

    assert refusal(shape).faults[0].code == "too-many-points"


@pytest.mark.parametrize(
    ("west", "east", "hole"), [(-185, -175, (178, 179)), (175, 185, (-179, -178))]
)
def test_a_hole_may_be_drawn_on_the_other_side_of_the_antimeridian(west, east, hole):
    area = area_of(polygon(box_ring(west, 0, east, 10), box_ring(hole[0], 4, hole[1], 6)))

    middle = sum(hole) / 2
    assert not holds(area, middle, 5)
    assert holds(area, middle, 7)


@pytest.mark.parametrize("shape", [box(9, 52, 10, 53), {"type": "multipolygon", "coordinates": [
    [round_ring((9.7, 52.4), 1e-8, 100)], [round_ring((9.8, 52.4), 1e-8, 100)]]}])  # fmt: skip
def test_a_shape_cannot_be_drawn_with_three_points(shape):
    with pytest.raises(Unprocessable, match="cannot be simplified"):
        simplified_shape(shape, 3)


def test_an_area_too_small_for_a_number_is_refused():
    shape = polygon(ring((1e-163, 2e-163), (2e-163, 5e-164), (3e-163, 2e-163)))

    assert refusal(shape).faults[0].detail == "The shape has no area."
