"""Crossings over the antimeridian and at the poles, with and without accuracy."""

from __future__ import annotations

import pytest
import shapely

from core.judged_fact import DecidingFix
from geofence.distance import ShapeEdge, metres_per_degree
from geofence.shapes import area_of
from geofence.zone_index import INSIDE, OUTSIDE, UNSURE, ZoneIndex
from tests.geofence.shapes import box, box_ring, circle, polygon, ring
from tests.geofence.walks import SECOND, brief, judged, zone


def at(second: float, lon: float, lat: float, accuracy_m: float = 0.0) -> DecidingFix:
    return DecidingFix(round(second * SECOND), 1, lon, lat, accuracy_m)


FIJI = area_of(polygon(ring((179, -18), (-179, -18), (-179, -16), (179, -16))))
NORTH_CAP = area_of(box(-180, 85, 180, 90))


@pytest.mark.fault("F-066")
def test_a_geofence_over_the_antimeridian_is_entered_once_and_left_once():
    lons = [178.0, 178.9, 179.1, 180.0, -180.0, -179.9, -179.1, -178.9, 178.0]

    found = judged([at(n, lon, -17.0) for n, lon in enumerate(lons)], zone(FIJI))

    assert brief(found) == [("enter", 2), ("exit", 7)]


@pytest.mark.parametrize("accuracy_m", [0.0, 10.0, 40_000.0])
@pytest.mark.parametrize("lon", [179.9999, 180.0, -180.0, -179.9999])
def test_the_antimeridian_inside_of_a_geofence_is_no_edge(lon, accuracy_m):
    yard = zone(FIJI)

    assert ZoneIndex([yard]).side_of(yard, at(0, lon, -17.0, accuracy_m)) == INSIDE


@pytest.mark.parametrize(("lon", "expected"), [(-179.999, UNSURE), (-179.9, OUTSIDE)])
def test_the_edge_is_near_also_from_beyond_the_antimeridian(lon, expected):
    west_of_it = zone(area_of(box(179, -18, 180, -16)))
    index = ZoneIndex([west_of_it])

    assert index.side_of(west_of_it, at(0, lon, -17.0, 1_000.0)) == expected
    # The crossing's contacts come by the index, not by asking for one geofence.
    fixes = [at(0, 178.0, -17.0), at(60, lon, -17.0, 1_000.0), at(120, 179.5, -17.0)]
    found = judged(fixes, west_of_it)
    assert found[0].not_before_us == (0 if expected == UNSURE else 60 * SECOND)


def test_two_parts_that_end_at_the_antimeridian_in_different_places_keep_their_edges():
    east = area_of(box(179, 0, 180, 1)).geoms[0]
    west = area_of(box(-180, 5, -179, 6)).geoms[0]
    edge = ShapeEdge(shapely.MultiPolygon([east, west]))

    lon_m, _ = metres_per_degree(0.5)
    assert edge.distance_m(-179.99, 0.5) == pytest.approx(0.01 * lon_m, rel=1e-6)
    assert edge.distance_m(179.99, 5.5) == pytest.approx(0.01 * metres_per_degree(5.5)[0], rel=1e-6)


def test_parts_that_meet_at_the_antimeridian_only_for_a_stretch_keep_the_rest_of_the_edge():
    parts = [shapely.box(179, 0, 180, 3), shapely.box(-180, 1, -179, 2)]
    edge = ShapeEdge(shapely.MultiPolygon(parts))

    _, lat_m = metres_per_degree(1.5)
    assert edge.distance_m(180.0, 1.5) == pytest.approx(0.5 * lat_m, rel=1e-3)
    assert edge.distance_m(180.0, 0.5) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("lon", [-180.0, -91.5, 0.0, 77.7, 180.0])
def test_a_polar_cap_is_entered_over_any_meridian(lon):
    (entry,) = judged([at(0, lon, 84.0), at(100, lon, 86.0)], zone(NORTH_CAP))

    assert entry.kind == "enter"
    assert entry.estimate_us == pytest.approx(50 * SECOND, abs=SECOND)


@pytest.mark.parametrize("lon", [-180.0, 12.0, 180.0])
@pytest.mark.parametrize("lat", [89.0, 89.999, 90.0])
def test_neither_the_pole_nor_the_antimeridian_is_an_edge_of_a_polar_cap(lon, lat):
    cap = zone(NORTH_CAP)

    assert ZoneIndex([cap]).side_of(cap, at(0, lon, lat, 50_000.0)) == INSIDE


@pytest.mark.parametrize("lat", [84.9, 85.1])
def test_the_edge_of_a_polar_cap_makes_fixes_unsure(lat):
    cap = zone(NORTH_CAP)

    assert ZoneIndex([cap]).side_of(cap, at(0, 33.0, lat, 50_000.0)) == UNSURE


def test_a_circle_around_the_pole_holds_who_walks_over_it():
    base = zone(area_of(circle((0, -90), 50_000)))
    walk = [at(0, 20.0, -89.0), at(60, 20.0, -89.8), at(120, -160.0, -89.8), at(180, -160.0, -89)]

    assert brief(judged(walk, base)) == [("enter", 60), ("exit", 180)]


def test_the_whole_earth_has_no_edge():
    whole = zone(area_of(polygon(box_ring(-180, -90, 180, 90))))

    assert ZoneIndex([whole]).side_of(whole, at(0, 180.0, 90.0, 1e6)) == INSIDE
    assert brief(judged([at(0, 0, 0, 1e6), at(1, -180, -90, 5)], whole)) == [("found", 0)]
