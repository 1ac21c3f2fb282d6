"""Import and export through the door, and there and back again."""

from __future__ import annotations

import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import Organisation
from geofence import limits
from geofence.models import Geofence, GeofenceVersion
from tests.geofence.builders import make_geofence
from tests.geofence.shapes import box, box_ring, circle, corridor, polygon, ring, round_ring
from tests.geofence.test_imports import GPX, KML, collection, feature, packed

pytestmark = pytest.mark.django_db

IMPORT = "/api/v1/geofences/import/"
EXPORT = "/api/v1/geofences/export/"
GEOJSON = "application/geo+json"
WIDTHS = "corridor_width_m=30&point_radius_m=50"
SHAPES = {
    "yard": box(9, 52, 10, 53),
    "ring road": polygon(box_ring(0, 0, 10, 10), box_ring(4, 4, 6, 6)),
    "depot": circle((9.7, 52.4), 250),
    "lane": corridor(30, (9.7, 52.4), (9.8, 52.5)),
    "strait": polygon(ring((179, -1), (-179, -1), (-179, 1), (179, 1))),
    "<Lager> & =1+1": {"type": "multipolygon", "coordinates": [[box_ring(0, 0, 1, 1)]]},
}


@pytest.fixture
def otto(api, operator):
    return api(operator)


def shapes_of(organisation: Organisation) -> dict[str, Any]:
    geofences = Geofence.objects.filter(organisation=organisation, deleted_at=None)
    return {geofence.name: geofence.versions.get().shape for geofence in geofences}


def send(
    client: APIClient,
    organisation: Organisation,
    body: str | bytes,
    content_type: str = GEOJSON,
    query: str = WIDTHS,
) -> Any:
    return client.post(
        f"{IMPORT}?organisation={organisation.pk}&{query}", body, content_type=content_type
    )


def test_a_file_is_imported_with_a_report_for_each_feature(otto, north):
    answer = send(otto, north, KML, "application/vnd.google-earth.kml+xml")

    assert answer.status_code == 201
    report = answer.json()
    assert (report["created"], report["refused"]) == (4, 0)
    assert [row["name"] for row in report["features"]] == ["Yard", "Two halls", "Road", "Gate"]
    assert set(shapes_of(north)) == {"Yard", "Two halls", "Road", "Gate"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (GPX.encode(), "application/gpx+xml"),
        (packed(doc_kml=KML), "application/vnd.google-earth.kmz"),
        (packed(doc_kml=KML), "application/zip"),
        (KML.encode(), "application/octet-stream"),
    ],
)
def test_each_format_comes_in_as_the_body(otto, north, body, content_type):
    assert send(otto, north, body, content_type).status_code == 201


def test_a_form_may_carry_the_file_and_its_options(otto, north):
    answer = otto.post(
        IMPORT,
        {
            "file": SimpleUploadedFile("../../x.gpx", GPX.encode()),
            "organisation": north.pk,
            "corridor_width_m": "30",
            "point_radius_m": "50",
        },
        format="multipart",
    )

    assert answer.status_code == 201
    assert answer.json()["created"] == 4


def test_a_dry_run_reports_and_stores_nothing(otto, north):
    body = collection(
        feature("Polygon", [box_ring(0, 0, 1, 1)], name="good"),
        feature("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]], name="bow-tie"),
    )

    answer = send(otto, north, body, query="dry_run=true")

    assert answer.status_code == 200
    assert [row["outcome"] for row in answer.json()["features"]] == ["acceptable", "refused"]
    assert not Geofence.objects.exists()


@pytest.mark.fault("F-070")
def test_one_refused_feature_stops_the_import_and_each_is_named(otto, north):
    body = collection(
        feature("Polygon", [box_ring(0, 0, 1, 1)], name="good"),
        feature("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]], name="bow-tie"),
        feature("Point", [0, 95], name="too far north"),
    )

    answer = send(otto, north, body)

    assert answer.status_code == 422
    assert answer.json()["code"] == "import-refused"
    errors = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert errors == [
        ("/features/1/coordinates", "geometry-invalid"),
        ("/features/2/center/1", "out-of-range"),
    ]
    assert not Geofence.objects.exists()


@pytest.mark.fault("F-070")
def test_5000_features_are_a_413_and_no_row(otto, north):
    answer = send(otto, north, collection(*[feature("Point", [9, 52])] * 5000))

    assert answer.status_code == 413
    assert answer.json()["code"] == "too-many-features"
    assert not Geofence.objects.exists()


def test_the_same_file_twice_changes_nothing_the_second_time(otto, north):
    send(otto, north, KML, "application/octet-stream")

    again = send(otto, north, KML, "application/octet-stream")

    assert again.status_code == 422
    assert {error["code"] for error in again.json()["errors"]} == {"already-exists"}
    assert Geofence.objects.count() == 4


def test_a_track_that_is_too_fine_is_simplified_on_request_only(otto, north):
    points = "".join(
        f'<trkpt lat="{lat}" lon="{lon}"/>' for lon, lat in round_ring((9.7, 52.4), 0.1, 3000)
    )
    gpx = f"<gpx><trk><name>Tour</name><trkseg>{points}</trkseg></trk></gpx>"

    refused = send(otto, north, gpx, "application/gpx+xml")
    accepted = send(otto, north, gpx, "application/gpx+xml", f"{WIDTHS}&simplify=true")

    assert refused.status_code == 422
    assert "tolerance" in refused.json()["errors"][0]["detail"]
    assert accepted.status_code == 201
    assert len(shapes_of(north)["Tour"]["coordinates"]) <= limits.LINE_POINTS


@pytest.mark.fault("F-169")
def test_an_entity_to_a_file_shows_nothing_of_it(otto, north):
    xml = '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml><name>&x;</name></kml>'

    answer = send(otto, north, xml, "application/vnd.google-earth.kml+xml")

    assert answer.status_code == 422
    assert b"root:" not in answer.content


@pytest.mark.fault("F-170")
def test_a_file_over_the_size_is_a_413(otto, north):
    body = io.BytesIO(bytes(limits.IMPORT_PACKED_BYTES + (128 << 10))).getvalue()

    assert send(otto, north, body, "application/octet-stream").status_code == 413


def test_a_fault_points_to_the_feature_however_many_shapes_are_before_it(otto, north):
    gates = feature("MultiPoint", [[9, 52], [9, 53], [9, 54]], name="Gate")

    answer = send(otto, north, collection(gates, feature("Point", [9, 95], name="Pole")))

    assert [error["pointer"] for error in answer.json()["errors"]] == ["/features/1/center/1"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("corridor_width_m=wide", "/corridor_width_m"), ("dry_run=perhaps", "/dry_run")],
)
def test_a_wrong_option_is_named(otto, north, query, pointer):
    answer = send(otto, north, KML, "application/octet-stream", query)

    assert answer.json()["errors"][0]["pointer"] == pointer


def test_nothing_to_import_is_a_422(otto, north):
    assert otto.post(IMPORT, {"organisation": north.pk}, format="multipart").status_code == 422


@pytest.mark.fault("F-099")
def test_nobody_imports_into_another_organisation(api, stranger, viewer, north):
    foreign = send(api(stranger), north, KML, "application/octet-stream")
    forbidden = send(api(viewer), north, KML, "application/octet-stream")

    assert foreign.status_code == 422
    assert forbidden.status_code == 403
    assert not Geofence.objects.exists()


# --- export ----------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["geojson", "kml"])
def test_what_is_exported_comes_back_as_it_was_drawn(api, dispatcher, north, south, file_format):
    for name, shape in SHAPES.items():
        make_geofence(north, name, shape)
    dora = api(dispatcher)

    exported = dora.get(EXPORT, {"format": file_format, "organisation": north.pk})
    imported = send(dora, south, exported.content, "application/octet-stream")

    assert imported.status_code == 201
    assert shapes_of(south) == shapes_of(north) == SHAPES
    areas = GeofenceVersion.objects.order_by("geofence__name", "pk").values_list("area", flat=True)
    assert all(one.equals(other) for one, other in zip(areas[::2], areas[1::2], strict=True))


def test_the_outline_alone_is_enough_for_other_programs(api, dispatcher, north, south):
    make_geofence(north, "depot", SHAPES["depot"])
    dora = api(dispatcher)

    kml = dora.get(f"{EXPORT}?format=kml").content
    root = ElementTree.fromstring(kml)
    for placemark in root.iter("{http://www.opengis.net/kml/2.2}Placemark"):
        for data in placemark.findall("{http://www.opengis.net/kml/2.2}ExtendedData"):
            placemark.remove(data)
    answer = send(dora, south, ElementTree.tostring(root), "application/octet-stream")

    assert answer.status_code == 201
    assert shapes_of(south)["depot"]["type"] == "polygon"


def test_an_export_is_a_file_with_its_own_type(otto, north):
    make_geofence(north)

    geojson, kml = otto.get(f"{EXPORT}?format=geojson"), otto.get(f"{EXPORT}?format=kml")

    assert geojson["Content-Type"].startswith(GEOJSON)
    assert json.loads(geojson.content)["features"][0]["properties"]["name"] == "depot"
    assert kml["Content-Type"] == "application/vnd.google-earth.kml+xml"
    assert 'filename="geofences.kml"' in kml["Content-Disposition"]


def test_an_unknown_export_format_is_refused(otto):
    assert otto.get(f"{EXPORT}?format=dxf").status_code in (404, 406)


@pytest.mark.parametrize("count", [1, 4])
def test_an_export_takes_as_many_queries_for_many_as_for_one(
    otto, north, count, django_assert_num_queries
):
    for number in range(count):
        make_geofence(north, f"hall {number}")
    otto.get("/api/v1/geofences/")

    with django_assert_num_queries(3):
        otto.get(f"{EXPORT}?format=geojson")
