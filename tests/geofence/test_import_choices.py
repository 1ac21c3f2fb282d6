"""What becomes of a file: its geometry against its shape, its options, its names, its refusals."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from core.errors import Unprocessable
from geofence import limits
from geofence.models import Geofence
from geofence.shape_simplifying import simplified_shape
from geofence.shapes import shape_of_geojson
from tests.builders import make_asset
from tests.geofence.builders import make_geofence
from tests.geofence.shapes import box, box_ring, polygon, round_ring
from tests.geofence.test_exchange_api import EXPORT, SHAPES, send, shapes_of
from tests.geofence.test_imports import KML, collection, feature

pytestmark = pytest.mark.django_db

KML_NAME = "{http://www.opengis.net/kml/2.2}"
BOW_TIE = [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]


@pytest.fixture
def dora(api, dispatcher):
    return api(dispatcher)


def moved(nested: Any, east_deg: float, decimals: int = 15) -> Any:
    """Return coordinates nested in any depth, as a program writes them that moved them."""
    if isinstance(nested[0], int | float):
        return [round(nested[0] + east_deg, decimals), round(nested[1], decimals)]
    return [moved(inner, east_deg, decimals) for inner in nested]


def exported_geojson(client: Any, east_deg: float, decimals: int = 15) -> dict[str, Any]:
    document = json.loads(client.get(f"{EXPORT}?format=geojson").content)
    for member in document["features"]:
        geometry = member["geometry"]
        geometry["coordinates"] = moved(geometry["coordinates"], east_deg, decimals)
    return dict(document)


def exported_kml(client: Any, east_deg: float) -> bytes:
    root = ElementTree.fromstring(client.get(f"{EXPORT}?format=kml").content)
    for coordinates in root.iter(f"{KML_NAME}coordinates"):
        points = [[float(n) for n in word.split(",")] for word in (coordinates.text or "").split()]
        lines = [f"{lon!r},{lat!r},0" for lon, lat in moved(points, east_deg)]
        coordinates.text = "\n".join(lines)
    return bytes(ElementTree.tostring(root))


def west_of(shape: dict[str, Any]) -> float:
    rings = shape["coordinates"]
    rings = rings if shape["type"] == "polygon" else rings[0]
    return float(min(lon for lon, _ in rings[0]))


@pytest.mark.field("G-01")
@pytest.mark.parametrize("name", ["yard", "ring road", "depot", "lane"])
@pytest.mark.parametrize("exported", [exported_geojson, exported_kml])
def test_an_outline_that_was_moved_counts_and_the_conflict_is_told(
    dora, north, south, name, exported
):
    make_geofence(north, name, SHAPES[name])
    (before,) = exported_geojson(dora, 0.0)["features"]
    document = exported(dora, 0.01)

    body = document if isinstance(document, bytes) else json.dumps(document)
    answer = send(dora, south, body, "application/octet-stream")

    (row,) = answer.json()["features"]
    assert [note["code"] for note in row["notes"]] == ["shape-left-out"]
    shape = shapes_of(south)[name]
    ring = before["geometry"]["coordinates"][0][0]
    assert shape["type"] == "polygon"
    assert west_of(shape) == pytest.approx(min(lon for lon, _ in ring) + 0.01)


@pytest.mark.field("G-01")
def test_half_a_metre_is_a_move(dora, north, south):
    make_geofence(north, "depot", SHAPES["depot"])

    send(dora, south, json.dumps(exported_geojson(dora, 0.000008)))

    assert shapes_of(south)["depot"]["type"] == "polygon"


@pytest.mark.field("G-01")
@pytest.mark.parametrize("decimals", [6, 7, 15])
def test_an_outline_that_was_only_rounded_still_shows_the_shape(dora, north, south, decimals):
    for name, shape in SHAPES.items():
        make_geofence(north, name, shape)

    answer = send(dora, south, json.dumps(exported_geojson(dora, 0.0, decimals)))

    assert all(row["notes"] == [] for row in answer.json()["features"])
    assert shapes_of(south) == SHAPES


@pytest.mark.field("G-01")
def test_a_hole_that_was_added_counts(dora, north, south):
    make_geofence(north, "depot", SHAPES["yard"])
    document = exported_geojson(dora, 0.0)
    document["features"][0]["geometry"]["coordinates"][0].append(box_ring(9.4, 52.4, 9.6, 52.6))

    send(dora, south, json.dumps(document))

    assert len(shapes_of(south)["depot"]["coordinates"]) == 2


@pytest.mark.field("G-01")
@pytest.mark.parametrize("shape", [{"type": "circle"}, '{"type": "circle"', "x", [], None])
def test_a_shape_that_cannot_be_drawn_leaves_the_geometry(dora, south, shape):
    body = collection(feature("Polygon", [box_ring(0, 0, 1, 1)], name="yard", shape=shape))

    assert send(dora, south, body).status_code == 201
    assert shapes_of(south)["yard"]["type"] == "polygon"


@pytest.mark.field("G-01")
def test_a_shape_that_became_text_on_its_way_is_read(dora, north, south):
    make_geofence(north, "depot", SHAPES["depot"])
    document = exported_geojson(dora, 0.0)
    properties = document["features"][0]["properties"]
    properties["shape"] = json.dumps(properties["shape"])

    send(dora, south, json.dumps(document))

    assert shapes_of(south)["depot"] == SHAPES["depot"]


# --- options -----------------------------------------------------------------------------

OPTIONS: dict[str, Any] = {
    "colour": "#112233",
    "accuracy_cap_m": 12.5,
    "max_accuracy_m": 400.0,
    "persist_fixes": 3,
    "persist_s": 45.0,
    "judges_pass_through": True,
    "max_gap_s": 600.0,
    "floor_m": -5.0,
    "ceiling_m": 80.0,
    "tags": ["cold", "fähre"],
}


@pytest.mark.field("G-11")
@pytest.mark.parametrize("file_format", ["geojson", "kml"])
def test_options_and_links_come_along(dora, north, south, file_format):
    van = make_asset(north, "van 1")
    twin = make_asset(south, "van 1")
    make_geofence(north, "depot", asset_ids=[van.pk], **OPTIONS)

    exported = dora.get(EXPORT, {"format": file_format, "organisation": north.pk})
    answer = send(dora, south, exported.content, "application/octet-stream")

    imported = Geofence.objects.get(organisation=south)
    version = imported.versions.get()
    kept = {name: getattr(version, name) for name in OPTIONS if name != "colour"}
    assert {"colour": imported.colour, **kept} == OPTIONS
    assert version.asset_ids == [twin.pk]
    assert answer.json()["features"][0]["notes"] == []


@pytest.mark.field("G-11")
@pytest.mark.parametrize("file_format", ["geojson", "kml"])
def test_assets_that_are_not_there_are_told(dora, north, south, file_format):
    make_geofence(north, "depot", asset_ids=[make_asset(north, "van 1").pk])

    exported = dora.get(EXPORT, {"format": file_format, "organisation": north.pk})
    answer = send(dora, south, exported.content, "application/octet-stream")

    (note,) = answer.json()["features"][0]["notes"]
    assert note["code"] == "left-out"
    assert "linked to all assets now" in note["detail"]


@pytest.mark.field("G-11")
def test_options_that_are_wrong_are_told_and_left_out(dora, north):
    wrong = {"persist_fixes": 0, "floor_m": 9, "ceiling_m": 3, "tags": "cold", "colour": "blue"}
    body = collection(feature("Polygon", [box_ring(0, 0, 1, 1)], name="yard", **wrong))

    answer = send(dora, north, body)

    notes = answer.json()["features"][0]["notes"]
    assert [note["detail"].split()[0] for note in notes] == [
        "colour",
        "persist_fixes",
        "tags",
        "The",
    ]
    assert answer.status_code == 201


@pytest.mark.field("G-11")
def test_a_colour_that_was_changed_in_another_program_counts(dora, north, south):
    make_geofence(north, "depot", colour="#112233")
    kml = dora.get(f"{EXPORT}?format=kml").content.replace(b"ff332211", b"ff0000ff")

    send(dora, south, kml, "application/octet-stream")

    assert Geofence.objects.get(organisation=south).colour == "#ff0000"


# --- nothing to draw, refusals -------------------------------------------------------------


@pytest.mark.field("G-06")
def test_a_feature_with_nothing_to_draw_is_reported_as_skipped(dora, north):
    nothing: dict[str, Any] = {"type": "Feature", "properties": {"name": "note"}, "geometry": None}
    body = collection(nothing, feature("Polygon", [box_ring(0, 0, 1, 1)], name="yard"))

    answer = send(dora, north, body)

    assert answer.status_code == 201
    rows = [(row["name"], row["outcome"]) for row in answer.json()["features"]]
    assert rows == [("note", "skipped"), ("yard", "created")]
    assert (answer.json()["created"], answer.json()["skipped"]) == (1, 1)
    assert set(shapes_of(north)) == {"yard"}


@pytest.mark.field("G-06")
def test_refused_features_are_skipped_on_request_and_each_is_reported(dora, north):
    body = collection(
        feature("Polygon", BOW_TIE, name="bow-tie"),
        feature("Point", [0, 95], name="too far north"),
        feature("Polygon", [box_ring(0, 0, 1, 1)], name="yard"),
    )

    answer = send(dora, north, body, query="skip_refused=true&point_radius_m=50")

    assert answer.status_code == 201
    rows = [(row["outcome"], row["code"]) for row in answer.json()["features"]]
    assert rows == [("refused", "geometry-invalid"), ("refused", "out-of-range"), ("created", "")]


@pytest.mark.field("G-06")
@pytest.mark.parametrize("query", ["", "skip_refused=true"])
def test_a_file_in_which_nothing_can_be_drawn_is_a_422(dora, north, query):
    nothing: dict[str, Any] = {"type": "Feature", "properties": {}, "geometry": None}

    answer = send(dora, north, collection(nothing, feature("Polygon", BOW_TIE)), query=query)

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 2


# --- names ---------------------------------------------------------------------------------


@pytest.mark.field("G-12")
def test_unnamed_features_of_one_file_after_the_other_get_names_of_their_own(dora, north):
    body = collection(feature("Polygon", [box_ring(0, 0, 1, 1)]))

    answers = [send(dora, north, body) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201] * 3
    assert sorted(shapes_of(north)) == ["Geofence 1", "Geofence 1 (2)", "Geofence 1 (3)"]


@pytest.mark.field("G-12")
def test_a_given_name_is_not_taken_from_a_later_feature(dora, north):
    unnamed = feature("Polygon", [box_ring(0, 0, 1, 1)])
    given = feature("Polygon", [box_ring(0, 0, 1, 1)], name="Geofence 1")

    assert send(dora, north, collection(unnamed, given)).status_code == 201


@pytest.mark.field("G-12")
def test_a_taken_name_does_not_hide_another_fault(dora, north):
    make_geofence(north, "yard")

    answer = send(dora, north, collection(feature("Polygon", BOW_TIE, name="yard")))

    assert [error["code"] for error in answer.json()["errors"]] == ["geometry-invalid"]


@pytest.mark.field("G-12")
def test_a_corrected_file_makes_new_versions_where_it_differs(dora, north):
    make_geofence(north, "same", box(0, 0, 1, 1))
    yard = make_geofence(north, "yard", box(0, 0, 1, 1), persist_fixes=4)
    body = collection(
        feature("Polygon", [box_ring(0, 0, 1, 1)], name="same"),
        feature("Polygon", [box_ring(0, 0, 2, 2)], name="yard"),
        feature("Polygon", [box_ring(0, 0, 3, 3)], name="new"),
    )

    answer = send(dora, north, body, query="on_taken_name=replace")

    rows = [row["outcome"] for row in answer.json()["features"]]
    assert rows == ["unchanged", "replaced", "created"]
    version = yard.versions.get(valid_to=None)
    assert (version.shape, version.persist_fixes) == (box(0, 0, 2, 2), 4)
    assert yard.versions.count() == 2
    assert answer.json()["features"][1]["geofence"] == yard.pk


@pytest.mark.field("G-12")
def test_our_own_export_replaces_nothing_where_nothing_changed(dora, north):
    make_geofence(north, "depot", SHAPES["depot"], max_accuracy_m=80.0)
    exported = dora.get(EXPORT, {"format": "geojson"}).content

    answer = send(dora, north, exported, query="on_taken_name=replace")

    assert [row["outcome"] for row in answer.json()["features"]] == ["unchanged"]


@pytest.mark.field("G-12")
def test_a_taken_name_is_made_unique_on_request(dora, north):
    send(dora, north, KML, "application/octet-stream")

    again = send(
        dora, north, KML, "application/octet-stream",
        "on_taken_name=rename&corridor_width_m=30&point_radius_m=50",
    )  # fmt: skip

    assert again.status_code == 201
    assert {"Yard", "Yard (2)"} <= set(shapes_of(north))
    assert again.json()["features"][0]["notes"][0]["code"] == "renamed"


# --- size ----------------------------------------------------------------------------------


def islands(count: int, size_deg: float, gap_deg: float) -> list[Any]:
    step = size_deg + gap_deg
    corners = [(9 + step * (n % 10), 52 + step * (n // 10)) for n in range(count)]
    return [[box_ring(lon, lat, lon + size_deg, lat + size_deg)] for lon, lat in corners]


@pytest.mark.field("G-19")
@pytest.mark.parametrize("points", [10_500, 60_000])
def test_a_fine_outline_is_simplified_and_its_tolerance_reported(dora, north, points):
    body = collection(feature("Polygon", [round_ring((9.7, 52.4), 0.1, points)], name="county"))

    answer = send(dora, north, body, query="simplify=true")

    (row,) = answer.json()["features"]
    assert (answer.status_code, row["outcome"]) == (201, "created")
    assert 0 < row["tolerance_m"] < 50
    assert row["points"] <= limits.SHAPE_POINTS


@pytest.mark.field("G-19")
@pytest.mark.parametrize("count", [65, 200])
def test_many_islands_are_simplified_into_fewer_parts(dora, north, count):
    body = collection(feature("MultiPolygon", islands(count, 0.01, 0.002), name="isles"))

    refused = send(dora, north, body, query="")
    answer = send(dora, north, body, query="simplify=true")

    assert refused.status_code == 422
    assert "simplif" in refused.json()["errors"][0]["detail"].lower()
    (row,) = answer.json()["features"]
    assert row["outcome"] == "created"
    assert "joined" in row["notes"][0]["detail"]


@pytest.mark.field("G-19")
def test_rocks_that_are_smaller_than_the_tolerance_are_gone(dora, north):
    rocks = [[box_ring(20 + n, 10, 20.00001 + n, 10.00001)] for n in range(100)]
    body = collection(feature("MultiPolygon", [[box_ring(9, 52, 10, 53)], *rocks], name="isles"))

    answer = send(dora, north, body, query="simplify=true")

    assert answer.json()["features"][0]["outcome"] == "created"
    assert len(shapes_of(north)["isles"]["coordinates"]) == 1


@pytest.mark.field("G-19")
@pytest.mark.parametrize(
    "parts",
    [
        [[box_ring(0, 0, 1, 1)], [box_ring(1, 0, 2, 1)]],
        [[box_ring(0, 0, 2, 1)], [box_ring(1, 0, 3, 1)]],
        [[box_ring(0, 0, 1, 1)], [box_ring(0, 0, 1, 1)]],
    ],
    ids=["edge", "overlap", "twice"],
)
def test_parts_that_touch_are_joined_on_request(dora, north, parts):
    body = collection(feature("MultiPolygon", parts, name="halls"))

    refused = send(dora, north, body, query="")
    answer = send(dora, north, body, query="dissolve=true")

    assert "dissolve=true" in refused.json()["errors"][0]["detail"]
    assert [note["code"] for note in answer.json()["features"][0]["notes"]] == ["dissolved"]
    assert shapes_of(north)["halls"]["type"] == "polygon"


def test_parts_apart_are_left_as_they_are_where_joining_is_asked_for(dora, north):
    parts = [[box_ring(0, 0, 1, 1)], [box_ring(3, 0, 4, 1)]]

    send(dora, north, collection(feature("MultiPolygon", parts, name="h")), query="dissolve=true")

    assert shapes_of(north)["h"] == {"type": "multipolygon", "coordinates": parts}


def test_a_ring_that_crosses_itself_stays_refused_where_joining_is_asked_for(dora, north):
    parts = [BOW_TIE, polygon(box_ring(5, 5, 6, 6))["coordinates"]]

    answer = send(dora, north, collection(feature("MultiPolygon", parts)), query="dissolve=true")

    assert answer.status_code == 422


# --- hard cases ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [9.7, 52.4]},
        {"type": "MultiPolygon", "coordinates": islands(1_001, 0.001, 0.001)},
    ],
)
def test_a_geometry_that_shows_no_drawn_shape_counts(dora, south, geometry):
    member = {
        "type": "Feature",
        "properties": {"name": "depot", "shape": SHAPES["depot"], "radius": 70},
        "geometry": geometry,
    }

    answer = send(dora, south, json.dumps(member), query="dry_run=true")

    (row,) = answer.json()["features"]
    assert row["notes"][0]["code"] == "shape-left-out"


@pytest.mark.parametrize("count", [80, 1_001])
def test_islands_far_apart_cannot_be_simplified(dora, north, count):
    body = collection(feature("MultiPolygon", islands(count, 0.001, 0.3)))

    answer = send(dora, north, body, query="simplify=true&dry_run=true")

    assert answer.json()["features"][0]["code"] == "too-many-points"


def test_a_shape_of_too_many_points_is_not_simplified():
    points = [[0, 0]] * (limits.SIMPLIFIABLE_POINTS + 1)
    shape = shape_of_geojson({"type": "Polygon", "coordinates": [points]})

    with pytest.raises(Unprocessable, match="More than 200000 points cannot be simplified"):
        simplified_shape(shape)


def test_islands_around_the_earth_cannot_be_simplified():
    parts = [[box_ring(-170 + 4 * n, 0, -169.99 + 4 * n, 0.01)] for n in range(80)]

    with pytest.raises(Unprocessable, match="80 rings"):
        simplified_shape({"type": "multipolygon", "coordinates": parts})


def test_parts_that_are_joined_may_leave_two(dora, north):
    parts = [[box_ring(0, 0, 1, 1)], [box_ring(1, 0, 2, 1)], [box_ring(5, 0, 6, 1)]]

    send(dora, north, collection(feature("MultiPolygon", parts, name="h")), query="dissolve=true")

    assert len(shapes_of(north)["h"]["coordinates"]) == 2


def test_a_radius_in_words_is_refused(dora, north):
    body = collection(feature("Point", [9, 52], radius="wide"))

    assert send(dora, north, body, query="").status_code == 422
