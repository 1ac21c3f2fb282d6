"""The index of zones: what it answers, and that it may be asked for many fixes at once."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from core.judged_fact import DecidingFix
from geofence.distance import ShapeEdge, degrees_of, metres_per_degree
from geofence.shapes import area_of
from geofence.zone_index import OUTSIDE, UNSURE, ZoneIndex, columns_of
from tests.geofence.shapes import circle, polygon, round_ring
from tests.geofence.walks import mark, place, square, zone


def test_each_fix_has_the_geofences_that_hold_it():
    index = ZoneIndex([zone(square(100), 1), zone(square(200), 2), zone(square(50, 5_000), 3)])

    contacts = index.contacts(columns_of([mark(0, metres) for metres in (0, 150, 9_000, 5_000)]))

    held = [{contact.zone.geofence_id for contact in met} for met in contacts]
    assert held == [{1, 2}, {2}, set(), {3}]


def test_an_index_of_nothing_answers_nothing():
    index = ZoneIndex([])

    assert index.contacts(columns_of([mark(0, 0), mark(1, 0, 50)])) == [[], []]
    assert index.passed((0, 0), (1, 1)) == []


def test_no_fixes_have_no_contacts():
    assert ZoneIndex([zone()]).contacts(columns_of([])) == []


def test_a_version_is_met_only_while_it_holds():
    index = ZoneIndex(
        [zone(version=1, valid_to_us=5_000_000), zone(version=2, valid_from_us=5_000_000)]
    )

    contacts = index.contacts(columns_of([mark(4.999999, 0), mark(5, 0)]))

    assert [[c.zone.version_id for c in met] for met in contacts] == [[1], [2]]
    assert index.zone_at(1, 5_000_000) is index.zones[1]
    assert index.zone_at(2, 0) is None


def test_a_coarse_fix_far_from_small_geofences_meets_none_of_them():
    index = ZoneIndex(
        [zone(square(20, north), n, accuracy_cap_m=10) for n, north in enumerate((0, 100, 200))]
    )

    assert index.contacts(columns_of([mark(0, 50, 5_000)])) == [[]]


spots = st.builds(
    DecidingFix,
    st.just(0),
    st.just(1),
    st.floats(-180, 180),
    st.floats(-90, 90),
    st.sampled_from([0.0, 5.0, 500.0, 50_000.0]),
    st.sampled_from([None, 0.0, 500.0]),
)


@pytest.fixture(scope="module")
def all_sorts() -> ZoneIndex:
    shapes = [
        circle((180, 0), 100_000),
        circle((-179.5, 40), 60_000),
        circle((30, 90), 300_000),
        circle((9.7, 52.4), 900_000),
        polygon(round_ring((-100, 40), 30, 100), round_ring((-100, 40), 10, 50)),
        polygon([[-180, -90], [180, -90], [180, -60], [-180, -60], [-180, -90]]),
    ]
    return ZoneIndex(
        zone(area_of(shape), n, max_accuracy_m=1_000.0 if n == 2 else np.inf, ceiling_m=100.0 * n)
        for n, shape in enumerate(shapes)
    )


@settings(max_examples=200, deadline=None)
@given(fixes=st.lists(spots, max_size=12))
@pytest.mark.law(5)
def test_many_fixes_at_once_meet_what_each_meets_alone(all_sorts, fixes):
    together = all_sorts.contacts(columns_of(fixes))

    assert together == [all_sorts.contacts(columns_of([fix]))[0] for fix in fixes]


@settings(max_examples=300, deadline=None)
@given(fix=spots)
def test_a_fix_is_surely_outside_of_zones_without_a_contact(all_sorts, fix):
    (met,) = all_sorts.contacts(columns_of([fix]))
    sides = {contact.zone.version_id: contact.side for contact in met}

    for one in all_sorts.zones:
        side = all_sorts.side_of(one, fix)
        is_too_coarse = fix.accuracy_m > one.max_accuracy_m
        if side != OUTSIDE and not is_too_coarse:
            assert sides[one.version_id] == side
        else:
            assert sides.get(one.version_id, side) == side


# --- metres -----------------------------------------------------------------------------


@pytest.mark.parametrize("lat", [-89.0, -60.0, 0.0, 45.0, 52.3759, 80.0])
def test_degrees_are_as_long_as_the_geodesic_says(lat):
    from pyproj import Geod

    wgs84 = Geod(ellps="WGS84")
    lon_m, lat_m = metres_per_degree(lat)

    _, _, east = wgs84.inv(0, lat, 0.001, lat)
    _, _, north = wgs84.inv(0, lat - 0.0005, 0, lat + 0.0005)
    assert lon_m == pytest.approx(east * 1000, rel=1e-6)
    assert lat_m == pytest.approx(north * 1000, rel=1e-6)


@given(lat=st.floats(-90, 90), radius_m=st.floats(0.01, 100_000))
def test_the_box_of_an_accuracy_holds_its_circle(lat, radius_m):
    reach_lon, reach_lat = degrees_of(np.array([radius_m]), np.array([lat]))
    lon_m, lat_m = metres_per_degree(lat)

    assert reach_lat[0] * lat_m >= radius_m * 0.9999
    assert reach_lon[0] * lon_m >= min(radius_m, 179 * lon_m) * 0.9999


@settings(max_examples=300, deadline=None)
@given(
    north=st.floats(-400, 400),
    east=st.floats(-400, 400),
    radius_m=st.floats(0.1, 300),
    seed=st.integers(0, 5),
)
def test_the_quick_look_never_misses_a_near_edge(north, east, radius_m, seed):
    dice = random.Random(seed)
    corners = [place(dice.uniform(-300, 300), dice.uniform(-300, 300)) for _ in range(3)]
    yard = zone(shapely.Polygon(corners))
    index, fix = ZoneIndex([yard]), mark(0, north, radius_m, east_m=east)

    is_unsure = ShapeEdge(yard.area).distance_m(fix.lon_deg, fix.lat_deg) < radius_m

    (met,) = index.contacts(columns_of([fix]))
    assert [contact.side == UNSURE for contact in met] in ([is_unsure], [] if not is_unsure else 0)


def test_the_distance_to_the_edge_is_that_of_the_square():
    edge = ShapeEdge(square(100))

    for north, metres in ((0, 100), (60, 40), (150, 50)):
        assert edge.distance_m(*place(north)) == pytest.approx(metres, abs=0.05)


# --- size -------------------------------------------------------------------------------


@pytest.mark.fault("F-060")
def test_a_fix_in_a_thousand_geofences_at_the_point_limit_meets_all_of_them():
    dice = np.random.default_rng(60)
    turn = np.linspace(0, 2 * np.pi, 5_000)
    rings = np.column_stack([np.cos(turn), np.sin(turn)]) * 0.1
    middles = np.array(place(0)) + dice.uniform(-0.05, 0.05, (1_000, 1, 2))
    polygons: Any = shapely.polygons(rings + middles)
    areas: Any = shapely.multipolygons(polygons.reshape(-1, 1))
    index = ZoneIndex(zone(area, number) for number, area in enumerate(areas))
    fix = columns_of([mark(0, 0, 10.0)])

    (met,) = index.contacts(fix)

    assert len(met) == 1_000
