"""`/api/v1/geofences/` as a user meets it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.gis.geos import Point
from django.utils import timezone

from accounts.models import Organisation
from geofence.models import Geofence, GeofenceVersion
from tests.builders import DEPOT_LONLAT_DEG, NINE, NOON, TEN, make_asset
from tests.geofence.builders import DEPOT, make_crossing, make_geofence
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

pytestmark = pytest.mark.django_db

URL = "/api/v1/geofences/"
GEOJSON = "application/geo+json"
SCRIBBLED = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]


@pytest.fixture
def otto(api, operator):
    return api(operator)


def drawn(north: Organisation, **more: Any) -> dict[str, Any]:
    return {"organisation": north.pk, "name": "depot", "shape": DEPOT, **more}


def test_a_geofence_is_drawn_and_answered_with_the_area_that_is_judged(otto, north):
    answer = otto.post(URL, drawn(north, colour="#ff8800", persist_fixes=2))

    assert answer.status_code == 201
    row = answer.json()
    assert row["shape"] == DEPOT
    assert row["geometry"]["type"] == "MultiPolygon"
    assert (row["name"], row["colour"], row["persist_fixes"]) == ("depot", "#ff8800", 2)
    assert (row["inradius_m"], row["accuracy_cap_effective_m"]) == (250, 125)
    assert row["accuracy_cap_m"] is None
    assert otto.get(f"{URL}{row['id']}/").json() == row


@pytest.mark.parametrize(
    "shape",
    [
        box(9, 52, 10, 53),
        {"type": "multipolygon", "coordinates": [[box_ring(0, 0, 1, 1)], [box_ring(2, 0, 3, 1)]]},
        circle((180.0, 0.0), 500),
        corridor(40, (9.7, 52.4), (9.8, 52.5)),
        polygon(ring((179, -1), (-179, -1), (-179, 1), (179, 1))),
    ],
    ids=["polygon", "multipolygon", "circle", "corridor", "antimeridian"],
)
def test_each_kind_of_shape_is_stored_as_drawn(otto, north, shape):
    row = otto.post(URL, drawn(north, shape=shape)).json()

    assert otto.get(f"{URL}{row['id']}/").json()["shape"] == shape


def test_geojson_may_be_sent_instead_of_a_shape(otto, north):
    geometry = {"type": "Polygon", "coordinates": [box_ring(9, 52, 10, 53)]}
    feature = {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"organisation": north.pk, "name": "by feature"},
    }

    plain = otto.post(URL, {"organisation": north.pk, "name": "depot", "geometry": geometry})
    whole = otto.post(URL, json.dumps(feature), content_type=GEOJSON)

    assert plain.json()["shape"] == whole.json()["shape"] == box(9, 52, 10, 53)


def test_features_are_answered_if_geojson_is_preferred(otto, north):
    make_geofence(north)

    collection = otto.get(URL, HTTP_ACCEPT=GEOJSON)
    feature = otto.get(f"{URL}{collection.json()['features'][0]['id']}/?format=geojson").json()

    assert collection["Content-Type"].startswith(GEOJSON)
    assert collection.json()["type"] == "FeatureCollection"
    assert feature["type"] == "Feature"
    assert feature["properties"]["name"] == "depot"
    assert feature["geometry"]["type"] == "MultiPolygon"


def test_the_list_is_narrowed_by_name_tag_and_organisation(api, dispatcher, north, south):
    make_geofence(north, "Hall 1", tags=["cold"])
    make_geofence(north, "Hall 2")
    make_geofence(south, "Yard")
    dora = api(dispatcher)

    def names(query: str) -> list[str]:
        return sorted(row["name"] for row in dora.get(URL + query).json()["results"])

    assert names("") == ["Hall 1", "Hall 2", "Yard"]
    assert names("?name=hall") == ["Hall 1", "Hall 2"]
    assert names("?tag=cold") == ["Hall 1"]
    assert names(f"?organisation={south.pk}") == ["Yard"]


@pytest.mark.parametrize("count", [1, 5])
def test_the_list_takes_as_many_queries_for_many_as_for_one(
    otto, north, count, django_assert_num_queries
):
    for number in range(count):
        make_geofence(north, f"hall {number}")
    otto.get(URL)

    with django_assert_num_queries(3):
        assert len(otto.get(URL).json()["results"]) == count


def test_a_new_name_makes_no_version_and_a_new_shape_does(otto, north):
    depot = make_geofence(north)

    otto.patch(f"{URL}{depot.pk}/", {"name": "yard"})
    assert depot.versions.count() == 1
    row = otto.patch(f"{URL}{depot.pk}/", {"shape": box(9, 52, 10, 53)}).json()

    assert depot.versions.count() == 2
    assert (row["name"], row["shape"]["type"]) == ("yard", "polygon")


def test_deleting_hides_the_geofence_and_keeps_its_row(otto, north):
    depot = make_geofence(north)

    assert otto.delete(f"{URL}{depot.pk}/").status_code == 204

    assert otto.get(f"{URL}{depot.pk}/").status_code == 404
    assert otto.get(URL).json()["results"] == []
    assert Geofence.objects.get(pk=depot.pk).deleted_at is not None


def test_versions_are_listed_newest_first_and_drawn_for_any_time(otto, north):
    depot = make_geofence(north, valid_from=NINE)

    answer = otto.post(
        f"{URL}{depot.pk}/versions/",
        {"shape": box(9, 52, 10, 53), "valid_from": TEN.isoformat()},
    )

    assert answer.status_code == 201
    newest, oldest = otto.get(f"{URL}{depot.pk}/versions/").json()["results"]
    assert newest["id"] == answer.json()["id"]
    assert newest["valid_from"] == oldest["valid_to"] == "2026-03-02T10:00:00.000000Z"
    assert not newest["is_replaced"]


def test_a_geofence_that_is_still_to_come_is_shown(otto, north):
    tomorrow = timezone.now() + timedelta(days=1)

    row = otto.post(URL, drawn(north, valid_from=tomorrow.isoformat())).json()

    assert otto.get(f"{URL}{row['id']}/").json()["version"] == row["version"]


# --- where a point is -----------------------------------------------------------------


@pytest.mark.fault("F-067")
@pytest.mark.parametrize(
    ("lonlat", "containment"),
    [
        ((5, 5), "outside"),
        ((0, 5), "inside"),
        ((4, 5), "inside"),
        ((0, 0), "inside"),
        ((4, 4), "inside"),
        ((2, 2), "inside"),
        ((11, 5), "outside"),
    ],
)
def test_the_test_call_and_postgis_agree_on_edges_and_holes(otto, north, lonlat, containment):
    ring_road = make_geofence(north, shape=polygon(box_ring(0, 0, 10, 10), box_ring(4, 4, 6, 6)))

    lon_deg, lat_deg = lonlat
    answer = otto.post(f"{URL}{ring_road.pk}/test/", {"lon_deg": lon_deg, "lat_deg": lat_deg})

    assert answer.json()["containment"] == containment
    held = GeofenceVersion.objects.filter(
        geofence=ring_road, area__intersects=Point(lon_deg, lat_deg, srid=4326)
    )
    assert held.exists() is (containment == "inside")


def test_the_test_call_answers_the_distance_to_the_edge_and_the_counted_accuracy(otto, north):
    depot = make_geofence(north)
    lon_deg, lat_deg = DEPOT_LONLAT_DEG
    center = {"lon_deg": lon_deg, "lat_deg": lat_deg}

    sure = otto.post(f"{URL}{depot.pk}/test/", center).json()
    coarse = otto.post(f"{URL}{depot.pk}/test/", {**center, "accuracy_m": 3000}).json()
    near_edge = otto.post(
        f"{URL}{depot.pk}/test/",
        {"lon_deg": lon_deg, "lat_deg": lat_deg + 0.0021, "accuracy_m": 3000},
    ).json()

    assert sure["distance_m"] == pytest.approx(250, abs=0.6)
    assert (coarse["containment"], coarse["accuracy_counted_m"]) == ("inside", 125)
    assert near_edge["containment"] == "unsure"


def test_every_viewer_of_a_geofence_may_test_a_point(api, viewer, north):
    depot = make_geofence(north)

    answer = api(viewer).post(f"{URL}{depot.pk}/test/", {"lon_deg": 0, "lat_deg": 0})

    assert answer.json()["containment"] == "outside"


def test_a_preset_is_answered_for_an_interval(otto):
    assert otto.get(f"{URL}preset/?interval_s=30").json()["persist_fixes"] == 2
    assert otto.get(f"{URL}preset/?interval_s=often").status_code == 400


@pytest.mark.field("G-04")
def test_a_preset_for_a_size_proposes_which_fixes_are_too_coarse(otto):
    sized = otto.get(f"{URL}preset/?interval_s=30&inradius_m=50").json()

    assert sized["max_accuracy_m"] == 100
    assert otto.get(f"{URL}preset/?interval_s=30").json()["max_accuracy_m"] is None


@pytest.mark.field("G-04")
def test_a_geofence_shows_which_fixes_are_too_coarse_for_it(otto, north):
    depot = make_geofence(north, shape=circle(DEPOT_LONLAT_DEG, 50))
    lon_deg, lat_deg = DEPOT_LONLAT_DEG
    place = {"lon_deg": lon_deg, "lat_deg": lat_deg + 0.02, "accuracy_m": 17_000}

    assert otto.get(f"{URL}{depot.pk}/").json()["max_accuracy_effective_m"] == 1_000
    assert otto.post(f"{URL}{depot.pk}/test/", place).json()["containment"] == "unsure"


def test_a_simpler_shape_is_offered_and_can_be_asked_for(otto, north):
    too_fine = polygon(round_ring((9.7, 52.4), 0.1, 3000))

    refused = otto.post(URL, drawn(north, shape=too_fine))
    offered = otto.post(f"{URL}simplify/", {"shape": too_fine}).json()
    accepted = otto.post(URL, drawn(north, shape=offered["shape"]))

    assert refused.status_code == 422
    assert f"tolerance of {offered['tolerance_m']:g} m" in refused.json()["detail"]
    assert accepted.status_code == 201


# --- what is refused -----------------------------------------------------------------


@pytest.mark.fault("F-055", "F-057", "F-061", "F-064", "F-066", "F-069")
@pytest.mark.parametrize(
    ("member", "value", "code", "pointer"),
    [
        ("shape", polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]), "geometry-invalid", "/shape"),
        ("shape", polygon([[0, 0], [1, 0], [1, 1]]), "geometry-invalid", "/shape/coordinates/0"),
        ("shape", None, "geometry-invalid", "/shape"),
        ("geometry", None, "geometry-invalid", "/geometry"),
        ("geometry", {"type": "Polygon", "coordinates": None}, "geometry-invalid", "/geometry"),
        ("shape", circle((0, 0), 0), "out-of-range", "/shape/radius_m"),
        ("shape", circle((0, 91), 5), "out-of-range", "/shape/center/1"),
        ("shape", polygon(ring((0, 80), (120, 80), (-120, 80))), "crosses-antimeridian", "/shape"),
        ("geometry", "POLYGON((0 0,1 0,1 1,0 0))", "not-geojson", "/geometry"),
        ("geometry", {"type": "Point", "coordinates": [0, 0]}, "not-geojson", "/geometry/type"),
        (
            "geometry",
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 95], [1, 1], [0, 0]]]},
            "out-of-range",
            "/geometry/coordinates/0/1/1",
        ),
    ],
)
def test_a_wrong_shape_is_a_422_that_points_to_it(otto, north, member, value, code, pointer):
    answer = otto.post(URL, {"organisation": north.pk, "name": "depot", member: value})

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    (error, *_) = answer.json()["errors"]
    assert error["code"] == code
    assert error["pointer"].startswith(pointer)
    assert not Geofence.objects.exists()


@pytest.mark.fault("F-061")
def test_null_is_no_way_to_leave_a_shape_as_it_is(otto, north):
    depot = make_geofence(north)
    unplaced = {"type": "Feature", "properties": {"name": "yard"}, "geometry": None}

    answers = [
        otto.patch(f"{URL}{depot.pk}/", {"shape": None}),
        otto.post(f"{URL}{depot.pk}/versions/", {"geometry": None}),
        otto.patch(f"{URL}{depot.pk}/", json.dumps(unplaced), content_type=GEOJSON),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (422, "geometry-invalid")
    ] * 3
    assert depot.versions.count() == 1


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"shape": polygon(SCRIBBLED)}, "geometry-invalid", "/shape/coordinates"),
        ({"geometry": {"type": "Polygon", "coordinates": [SCRIBBLED]}}, "geometry-invalid", None),
        ({"shape": circle((0, 0), 0), "max_points": 4}, "out-of-range", "/shape/radius_m"),
        ({"shape": {"type": "star"}}, "geometry-invalid", "/shape/type"),
        ({}, "geometry-invalid", "/shape"),
    ],
)
def test_a_shape_that_is_wrong_at_any_size_is_not_refused_for_too_many_points(
    otto, body, code, pointer
):
    answer = otto.post(f"{URL}simplify/", body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["pointer"] == (pointer or "/geometry/coordinates")


@pytest.mark.fault("F-062")
def test_an_infinite_number_is_a_422_and_no_row(otto, north):
    body = json.dumps(drawn(north)).replace("250", "1e999")

    answer = otto.post(URL, body, content_type="application/json")

    assert answer.status_code == 422
    assert not GeofenceVersion.objects.exists()


@pytest.mark.fault("F-063")
def test_a_geometry_collection_500_deep_is_a_422(otto, north):
    nested = '{"type":"GeometryCollection","geometries":[' * 500 + "]}" * 500
    body = f'{{"organisation":{north.pk},"name":"deep","geometry":{nested}}}'

    assert otto.post(URL, body, content_type="application/json").status_code == 422


@pytest.mark.fault("F-058")
def test_a_scribble_of_4000_points_is_a_422_and_the_database_lives(otto, north):
    answer = otto.post(URL, drawn(north, shape=polygon(scribble(4000))))

    assert answer.status_code == 422
    assert otto.get(URL).status_code == 200


@pytest.mark.fault("F-059")
def test_a_ring_of_a_million_points_is_refused_by_size(otto, north):
    body = json.dumps(drawn(north, shape=polygon([[0, 0]] * 1_000_001)))

    assert otto.post(URL, body, content_type="application/json").status_code == 413


@pytest.mark.fault("F-046")
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", "\x07bell"),
        ("name", "x" * 201),
        ("colour", "red"),
        ("persist_fixes", 0),
        ("persist_s", True),
        ("max_gap_s", "300"),
        ("asset_ids", [2**63]),
        ("tags", ["x" * 65]),
        ("valid_from", "yesterday"),
        ("valid_from", "2026-03-02T09:00:00"),
        ("valid_from", "2026-03-02"),
    ],
)
def test_a_wrong_option_is_a_422_that_names_it(otto, north, member, value):
    answer = otto.post(URL, drawn(north, **{member: value}))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{member}")


def test_a_name_that_is_taken_is_a_409(otto, north):
    make_geofence(north)

    assert otto.post(URL, drawn(north)).status_code == 409


@pytest.mark.fault("F-025")
def test_a_name_with_markup_is_kept_as_sent(otto, north):
    name = "<img src=x onerror=alert(1)>"

    assert otto.post(URL, drawn(north, name=name)).json()["name"] == name


# --- who may -------------------------------------------------------------------------


@pytest.mark.fault("F-099")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("patch", ""),
        ("delete", ""),
        ("get", "versions/"),
        ("post", "versions/"),
        ("get", "presence/"),
        ("get", "visits/"),
        ("post", "test/"),
    ],
)
def test_a_foreign_geofence_is_answered_like_one_that_does_not_exist(
    api, stranger, north, method, path
):
    depot = make_geofence(north)
    stan = api(stranger)
    body = None if method == "get" else {"lon_deg": 0, "lat_deg": 0, "name": "mine now"}

    foreign = getattr(stan, method)(f"{URL}{depot.pk}/{path}", body)
    unknown = getattr(stan, method)(f"{URL}{depot.pk + 999}/{path}", body)

    assert foreign.status_code == unknown.status_code == 404
    assert {**foreign.json(), "instance": ""} == {**unknown.json(), "instance": ""}
    depot.refresh_from_db()
    assert (depot.name, depot.deleted_at) == ("depot", None)


def test_a_stranger_sees_none_of_it_in_lists_and_exports(api, stranger, north):
    make_geofence(north, "secret place")
    stan = api(stranger)

    assert stan.get(URL).json()["results"] == []
    assert b"secret" not in stan.get(f"{URL}export/?format=geojson").content
    assert b"secret" not in stan.get(f"{URL}export/?format=kml").content


@pytest.mark.fault("F-099")
def test_nobody_draws_in_the_name_of_another_organisation(api, stranger, north):
    foreign = api(stranger).post(URL, drawn(north))
    unknown = api(stranger).post(URL, drawn(north, organisation=north.pk + 999))

    assert foreign.status_code == unknown.status_code
    assert not Geofence.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch", "", {"name": "mine"}),
        ("delete", "", None),
        ("post", "versions/", {"persist_fixes": 2}),
    ],
)
def test_a_viewer_looks_and_does_not_touch(api, viewer, north, method, path, body):
    depot = make_geofence(north)
    vera = api(viewer)

    assert getattr(vera, method)(f"{URL}{depot.pk}/{path}", body).status_code == 403
    assert vera.post(URL, drawn(north, name="other")).status_code == 403
    assert vera.get(f"{URL}{depot.pk}/").status_code == 200


def test_nobody_gets_nothing(anonymous, north):
    depot = make_geofence(north)

    assert anonymous.get(URL).status_code == 401
    assert anonymous.get(f"{URL}{depot.pk}/presence/").status_code == 401


@pytest.mark.fault("F-065")
@pytest.mark.parametrize("value", ["/vsicurl/http://127.0.0.1:9/x", '{"driver": "PNG"}'])
@pytest.mark.parametrize("name", ["organisation", "name", "tag", "page_size", "cursor"])
def test_a_raster_or_path_in_a_filter_opens_nothing(otto, north, name, value):
    answer = otto.get(URL, {name: value})

    assert answer.status_code in ((200,) if name in ("name", "tag") else (400,))


def test_admin_ends_a_geofence_instead_of_deleting_rows(client, admin, north):
    depot = make_geofence(north)
    client.force_login(admin)

    page = client.get(f"/admin/geofence/geofence/{depot.pk}/change/")
    client.post(f"/admin/geofence/geofence/{depot.pk}/delete/", {"post": "yes"})

    assert page.status_code == 200
    assert client.get("/admin/geofence/geofence/").status_code == 200
    assert client.get("/admin/geofence/crossing/").status_code == 200
    depot.refresh_from_db()
    assert depot.deleted_at is not None


def test_admin_renames_through_the_action(client, admin, north):
    depot = make_geofence(north)
    client.force_login(admin)

    client.post(
        f"/admin/geofence/geofence/{depot.pk}/change/",
        {
            "name": "yard",
            "colour": "#00ff00",
            "versions-TOTAL_FORMS": 0,
            "versions-INITIAL_FORMS": 0,
        },
    )

    depot.refresh_from_db()
    assert depot.name == "yard"
    assert depot.versions.count() == 1


# --- as integrators expect ---------------------------------------------------------------


def names_of(answer: Any) -> list[str]:
    return sorted(row["name"] for row in answer.json()["results"])


@pytest.mark.field("G-24")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("bbox=9,52,10,53", ["yard"]),
        ("bbox=10,53,11,54", ["yard"]),
        ("bbox=-10,-10,-9,-9", []),
        ("bbox=179.5,-1,-179.5,1", ["strait"]),
        ("point=9.5,52.5", ["yard"]),
        ("point=-179.5,0", ["strait"]),
        ("point=0,0", []),
    ],
)
def test_geofences_are_found_by_place(otto, north, query, names):
    make_geofence(north, "yard", box(9, 52, 10, 53))
    make_geofence(north, "strait", box(179, -1, 181, 1))

    assert names_of(otto.get(f"{URL}?{query}")) == names


@pytest.mark.field("G-24")
@pytest.mark.parametrize(
    "query", ["bbox=1,2,3", "bbox=1,9,2,3", "bbox=a,b,c,d", "point=9,95", "point=nan,0", "point=1"]
)
def test_a_place_that_is_none_is_refused(otto, query):
    answer = otto.get(f"{URL}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")


@pytest.mark.field("G-24")
def test_geofences_are_found_by_the_asset_that_they_are_judged_for(otto, north, south):
    van = make_asset(north, "van", tags=["cold"])
    make_geofence(north, "all")
    make_geofence(north, "own", asset_ids=[van.pk])
    make_geofence(north, "cold", tags=["cold"])
    make_geofence(north, "other", asset_ids=[make_asset(north, "lorry").pk], tags=["hot"])

    assert names_of(otto.get(f"{URL}?asset={van.pk}")) == ["all", "cold", "own"]
    assert names_of(otto.get(f"{URL}?asset={make_asset(south, 'foreign').pk}")) == []


@pytest.mark.field("G-24")
def test_a_new_geofence_has_its_address_in_location(otto, north):
    answer = otto.post(URL, drawn(north))

    assert answer["Location"] == f"{URL}{answer.json()['id']}/"
    assert otto.get(answer["Location"]).status_code == 200


@pytest.mark.field("G-24")
def test_a_wrong_format_and_a_missing_slash_are_named(otto, north):
    wrong_format = otto.get(f"{URL}?format=kml")
    no_slash = otto.post(URL.rstrip("/"), drawn(north))

    assert wrong_format.status_code == 406
    assert "geojson, json" in wrong_format.json()["detail"]
    assert no_slash.status_code == 404
    assert URL in no_slash.json()["detail"]


@pytest.mark.field("G-24")
def test_kinds_may_be_listed_with_commas(otto, north):
    depot, van = make_geofence(north), make_asset(north)
    for kind in ("enter", "exit", "pass"):
        make_crossing(van, depot, kind, NOON)

    def found(query: str) -> set[str]:
        return {row["kind"] for row in otto.get(f"/api/v1/crossings/?{query}").json()["results"]}

    assert found("kind=enter,exit") == found("kind=enter&kind=exit") == {"enter", "exit"}
    assert otto.get("/api/v1/crossings/?kind=enter,nonsense").status_code == 400


@pytest.mark.field("G-24")
def test_a_feature_may_name_its_organisation_beside_its_properties(otto, north):
    body = {
        "type": "Feature",
        "organisation": north.pk,
        "properties": {"name": "yard"},
        "geometry": {"type": "Polygon", "coordinates": [box_ring(9, 52, 10, 53)]},
    }

    answer = otto.post(URL, json.dumps(body), content_type="application/geo+json")

    assert answer.status_code == 201


@pytest.mark.field("G-24")
@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8"])
def test_an_import_may_come_as_json(otto, north, media_type):
    body = {
        "type": "Feature",
        "properties": {"name": "yard"},
        "geometry": {"type": "Polygon", "coordinates": [box_ring(9, 52, 10, 53)]},
    }
    path = f"{URL}import/?organisation={north.pk}"

    assert otto.post(path, json.dumps(body), content_type=media_type).status_code == 201


@pytest.mark.field("G-22")
def test_the_past_of_a_deleted_geofence_stays_readable(otto, north):
    depot, van = make_geofence(north), make_asset(north)
    make_crossing(van, depot, "enter", NINE)
    make_crossing(van, depot, "exit", NOON, not_before=NOON, estimate=NOON)

    otto.delete(f"{URL}{depot.pk}/")

    (visit,) = otto.get(f"{URL}{depot.pk}/visits/").json()["results"]
    assert visit["left_at"] is not None
    assert len(otto.get(f"{URL}{depot.pk}/versions/").json()["results"]) == 1
    assert otto.get(f"{URL}{depot.pk}/presence/?at=2026-03-02T10:00:00Z").status_code == 200
    assert otto.get(f"{URL}{depot.pk}/").status_code == 404
    assert otto.post(f"{URL}{depot.pk}/versions/", {"persist_fixes": 2}).status_code == 404
