"""Circles and corridors on the ellipsoid, the antimeridian and the poles."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from core.errors import Unprocessable
from geofence import limits
from geofence.earth import circle_vertices
from geofence.shapes import area_of
from tests.geofence.shapes import box_ring, circle, corridor, polygon, ring

WGS84 = Geod(ellps="WGS84")
PLACES = [(9.7, 52.4), (0.0, 0.0), (180.0, 10.0), (-179.999, -60.0), (30.0, 84.0), (12.0, -89.5)]


def holds(area: shapely.MultiPolygon, lon: float, lat: float) -> bool:
    return bool(shapely.intersects_xy(area, (lon + 180) % 360 - 180, lat))


def at_distance(
    center: tuple[float, float], azimuth_deg: float, distance_m: float
) -> tuple[float, float]:
    lon, lat, _ = WGS84.fwd(center[0], center[1], azimuth_deg, distance_m)
    return lon, lat


@pytest.mark.parametrize("center", PLACES)
@pytest.mark.parametrize("radius_m", [1.0, 25.0, 500.0, 5_000.0])
def test_a_circle_holds_what_is_nearer_than_its_radius_and_nothing_else(center, radius_m):
    area = area_of(circle(center, radius_m))

    slack_m = min(0.5, 0.001 * radius_m) * 1.2
    azimuths = np.linspace(0, 360, 97)
    within = [at_distance(center, azimuth, radius_m - slack_m) for azimuth in azimuths]
    beyond = [at_distance(center, azimuth, radius_m + slack_m) for azimuth in azimuths]
    assert all(holds(area, *lonlat) for lonlat in within)
    assert not any(holds(area, *lonlat) for lonlat in beyond)


@pytest.mark.parametrize("radius_m", [0.1, 1, 30, 500, 6_000])
def test_a_circle_has_no_more_corners_than_its_exactness_needs(radius_m):
    sagitta_m = radius_m * (1 - math.cos(math.pi / circle_vertices(radius_m)))

    assert sagitta_m <= min(0.5, 0.001 * radius_m)
    assert circle_vertices(radius_m) <= limits.CIRCLE_VERTICES


@pytest.mark.parametrize("radius_m", [100.0, 50_000.0, 1_000_000.0])
@pytest.mark.parametrize("pole_deg", [90.0, -90.0])
def test_a_circle_around_a_pole_holds_it_from_every_side(pole_deg, radius_m):
    area = area_of(circle((40.0, pole_deg), radius_m))

    _, edge_deg, _ = WGS84.fwd(0, pole_deg, 0, radius_m)
    reach_deg = 90 - abs(edge_deg)
    near = math.copysign(90 - 0.99 * reach_deg, pole_deg)
    far = math.copysign(90 - 1.01 * reach_deg, pole_deg)
    assert all(holds(area, lon, near) for lon in range(-180, 181, 7))
    assert all(holds(area, lon, pole_deg) for lon in range(-180, 181, 7))
    assert not any(holds(area, lon, far) for lon in range(-180, 181, 7))


def test_a_circle_over_the_pole_holds_the_far_side():
    area = area_of(circle((0.0, 89.9), 100_000))

    assert holds(area, 180, 89.5)
    assert holds(area, 123, 90)
    assert not holds(area, 180, 88.5)


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    radius_m=st.floats(0.1, 1_000_000),
    azimuth_deg=st.floats(0, 360),
    share=st.floats(0, 2),
)
@settings(max_examples=150, deadline=None)
def test_any_circle_agrees_with_the_geodesic(lon, lat, radius_m, azimuth_deg, share):
    # A chord of a large circle lies inside the arc, and close to the pole it is bent.
    assume(abs(share - 1) > 0.002)

    area = area_of(circle((lon, lat), radius_m))

    assert area.is_valid
    probe = at_distance((lon, lat), azimuth_deg, share * radius_m)
    assume(abs(probe[1]) < 89.99)
    assert holds(area, *probe) is (share < 1)


# --- corridors --------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        [(9.7, 52.4), (10.7, 52.45), (11.7, 52.4)],
        [(0.0, 60.0), (40.0, 60.0)],
        [(179.9, 10.0), (-179.9, 10.1)],
        [(10.0, 80.0), (40.0, 81.0)],
        [(-60.0, -33.0), (-58.0, -30.0)],
    ],
)
@pytest.mark.parametrize("width_m", [10.0, 400.0, 20_000.0])
def test_a_corridor_reaches_half_its_width_to_either_side(line, width_m):
    area = area_of(corridor(width_m, *line))

    (lon, lat), (lon2, lat2) = line[0], line[1]
    lon2 += 360.0 if lon2 - lon < -180 else 0
    middle = (lon + lon2) / 2, (lat + lat2) / 2
    ahead = lon + (lon2 - lon) * 0.50001, lat + (lat2 - lat) * 0.50001
    course_deg, _, _ = WGS84.inv(*middle, *ahead)
    for side in (90, -90):
        assert holds(area, *at_distance(middle, course_deg + side, 0.48 * width_m))
        assert not holds(area, *at_distance(middle, course_deg + side, 0.52 * width_m))


def test_a_corridor_is_round_at_its_ends_and_one_piece():
    area = area_of(corridor(1_000, (9.7, 52.4), (12.7, 51.4), (12.7, 50.0)))

    assert len(area.geoms) == 1
    assert holds(area, *at_distance((9.7, 52.4), 290, 480))
    assert not holds(area, *at_distance((9.7, 52.4), 290, 520))


def test_a_corridor_that_closes_a_loop_has_a_hole():
    area = area_of(corridor(500, (10, 50), (10.2, 50), (10.2, 50.2), (10, 50.2), (10, 50)))

    assert not holds(area, 10.1, 50.1)
    assert holds(area, 10.1, 50)


@given(
    line=st.lists(
        st.tuples(st.floats(179.99, 180.01), st.floats(-17.31, -17.29)), min_size=2, max_size=4
    ),
    lat_deg=st.floats(-17.32, -17.28),
    width_m=st.sampled_from([5, 40, 500]),
)
@example(
    line=[(180.00004704378182, -17.299882431674718), (180.0, -17.3), (179.99986827741088, -17.3)],
    lat_deg=-17.3,
    width_m=40,
)
def test_a_corridor_has_no_gap_at_the_antimeridian(line, lat_deg, width_m):
    assume(len(set(line)) > 1)
    area = area_of(corridor(width_m, *line))

    assert holds(area, -180, lat_deg) == holds(area, 180, lat_deg)


def test_a_corridor_over_the_pole_holds_it():
    area = area_of(corridor(50_000, (0, 89.5), (170, 89.9)))

    assert area.is_valid
    assert holds(area, 77, 90)


# --- the antimeridian ---------------------------------------------------------------


@pytest.mark.fault("F-066")
@pytest.mark.parametrize(
    "corners",
    [
        [(179, -1), (-179, -1), (-179, 1), (179, 1)],
        [(179, -1), (181, -1), (181, 1), (179, 1)],
        [(-181, -1), (-179, -1), (-179, 1), (-181, 1)],
    ],
    ids=["jumping", "beyond 180", "beyond -180"],
)
def test_a_polygon_over_the_antimeridian_is_two_strips_and_no_belt(corners):
    area = area_of(polygon(ring(*corners)))

    assert len(area.geoms) == 2
    assert area.area == pytest.approx(4)
    assert holds(area, 179.5, 0)
    assert holds(area, -179.5, 0)
    assert holds(area, 180, 0)
    assert holds(area, -180, 0)
    assert not holds(area, 0, 0)
    assert not holds(area, 178.9, 0)


@pytest.mark.fault("F-066")
@pytest.mark.parametrize(
    "hole",
    [
        ring((-179.8, -0.5), (-179.2, -0.5), (-179.2, 0.5), (-179.8, 0.5)),
        ring((179.5, -0.5), (-179.5, -0.5), (-179.5, 0.5), (179.5, 0.5)),
    ],
    ids=["beyond", "across"],
)
def test_a_hole_beyond_the_antimeridian_stays_a_hole(hole):
    shell = ring((179, -1), (-179, -1), (-179, 1), (179, 1))

    area = area_of(polygon(shell, hole))

    assert not holds(area, (hole[0][0] % 360 + hole[1][0] % 360) / 2, 0)
    assert holds(area, 179.1, 0)
    assert holds(area, -179.1, 0)


@pytest.mark.fault("F-066")
def test_a_ring_around_the_earth_is_refused_and_says_how_to_draw_it():
    with pytest.raises(Unprocessable) as caught:
        area_of(polygon(ring((0, 80), (120, 80), (-120, 80))))

    assert caught.value.code == "crosses-antimeridian"
    assert "pole" in caught.value.detail


def test_a_polar_cap_may_be_drawn_along_its_edge():
    area = area_of(polygon(box_ring(-180, 80, 180, 90)))

    assert all(holds(area, lon, 85) for lon in range(-180, 181, 9))


def test_a_polygon_that_ends_at_the_antimeridian_is_one_part():
    area = area_of(polygon(ring((-180, 0), (170, 0), (170, 10), (-180, 10))))

    assert len(area.geoms) == 1
    assert area.bounds == (170, 0, 180, 10)


@given(shift=st.floats(-180, 180))
@settings(deadline=None)
def test_a_shape_turned_around_the_earth_keeps_its_size(shift):
    corners = [(0, 0), (3, 1), (2, 4)]
    turned = [((lon + shift + 180) % 360 - 180, lat) for lon, lat in corners]

    area = area_of(polygon(ring(*turned)))

    assert area.is_valid
    assert area.area == pytest.approx(shapely.Polygon(corners).area, abs=1e-6)
