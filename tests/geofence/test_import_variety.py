"""Files as the programs of the world write them: what is read, what is told, what is skipped."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
import shapefile

from core.errors import Unprocessable
from geofence.imports import AssumedSizes, read_features
from geofence.imports.dbf_tables import encoding_named, with_plain_header
from geofence.shapes import area_of
from tests.geofence.test_imports import (
    TRIANGLE,
    WIDE,
    collection,
    feature,
    kinds,
    packed,
    read,
    refusal,
)

SQUARE = "0,0 1,0 1,1 0,1 0,0"
INNER = "0.2,0.2 0.8,0.2 0.8,0.8 0.2,0.8 0.2,0.2"


def placemarks(*inner: str) -> str:
    marks = "".join(f"<Placemark><name>m</name>{geometry}</Placemark>" for geometry in inner)
    return f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{marks}</Document></kml>'


def kml_polygon(coordinates: str) -> str:
    return (
        "<Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{coordinates}</coordinates></LinearRing></outerBoundaryIs></Polygon>"
    )


def kml_ring(coordinates: str) -> str:
    return f"<LinearRing><coordinates>{coordinates}</coordinates></LinearRing>"


make_writer: Any = shapefile.Writer
POINT = "<Point><coordinates>0.5,0.5</coordinates></Point>"


@pytest.mark.field("G-06")
@pytest.mark.parametrize(
    "body",
    [
        placemarks("<description>only a text</description>"),
        placemarks("<Point><coordinates></coordinates></Point>"),
        placemarks("<MultiGeometry/>"),
        collection({"type": "Feature", "properties": {}, "geometry": None}),
        collection({"type": "Feature", "properties": {}}),
        collection(feature("Polygon", [])),
        collection(feature("MultiPolygon", [[[]]])),
        "<gpx><trk><trkseg/></trk></gpx>",
        "<gpx><trk/></gpx>",
        "<gpx><rte/></gpx>",
    ],
)
def test_a_feature_with_nothing_to_draw_is_blank(body):
    (found,) = read(body)

    assert found.is_blank
    assert found.fault


@pytest.mark.field("G-06")
def test_a_null_shape_is_blank():
    shp, dbf = io.BytesIO(), io.BytesIO()
    with make_writer(shp=shp, dbf=dbf, shapeType=shapefile.POLYGON) as writer:
        writer.field("name", "C")
        writer.null()
        writer.record("nowhere")
        writer.poly([TRIANGLE])
        writer.record("yard")

    found = read(packed(a_shp=shp.getvalue(), a_dbf=dbf.getvalue()))

    assert [(one.name, one.is_blank) for one in found] == [("nowhere", True), ("yard", False)]


@pytest.mark.field("G-06")
@pytest.mark.parametrize(
    "body",
    [
        placemarks(f"<MultiGeometry>{POINT}{kml_polygon(SQUARE)}</MultiGeometry>"),
        collection(
            {
                "type": "Feature",
                "properties": {},
                "geometry": {
                    "type": "GeometryCollection",
                    "geometries": [
                        {"type": "Polygon", "coordinates": [TRIANGLE]},
                        {"type": "Point", "coordinates": [9, 52]},
                    ],
                },
            }
        ),
    ],
)
def test_a_point_beside_a_polygon_is_its_label_unless_points_have_a_size(body):
    plain, sized = read(body, AssumedSizes()), read(body, WIDE)

    assert sorted(one.is_blank for one in plain) == [False, True]
    assert sorted(one.shape["type"] for one in sized if one.shape) == ["circle", "polygon"]


@pytest.mark.field("G-17")
@pytest.mark.parametrize(
    ("inner", "shapes"),
    [
        (kml_ring(SQUARE), 1),
        (f"<MultiGeometry>{kml_polygon(SQUARE)}{kml_ring(INNER)}</MultiGeometry>", 2),
        (f"<MultiGeometry>{kml_ring(SQUARE)}{kml_ring(INNER)}</MultiGeometry>", 2),
    ],
)
def test_a_ring_alone_is_an_outline(inner, shapes):
    assert kinds(read(placemarks(inner))) == ["polygon"] * shapes


@pytest.mark.field("G-17")
def test_a_kmz_is_read_with_the_members_that_it_links():
    link = "<NetworkLink><name>{0}</name><Link><href>{0}</href></Link></NetworkLink>"
    links = "".join(map(link.format, ("files/a%20b.kml", "http://example.com/x.kml", "doc.kml")))
    root = (
        f"<kml><Document>{links}<GroundOverlay><name>plan</name></GroundOverlay></Document></kml>"
    )
    members = io.BytesIO()
    with zipfile.ZipFile(members, "w") as archive:
        archive.writestr("doc.kml", root)
        archive.writestr("files/a b.kml", placemarks(kml_polygon(SQUARE)))
        archive.writestr("stray.kml", placemarks(POINT))

    found = read(members.getvalue())

    assert [one.name for one in found if one.shape] == ["m"]
    told = [one.fault.detail for one in found if one.is_blank and one.fault]
    assert ["no address is opened" in detail for detail in told] == [True, False, False]
    assert "image" in told[1]
    assert "stray.kml" in told[2]


@pytest.mark.field("G-07")
@pytest.mark.parametrize("noise", ["__MACOSX/._a.shp", "__MACOSX/._a.kml", "._a.shp", "x/._a.kml"])
@pytest.mark.parametrize("member", ["a.kml", "a.shp"])
def test_the_notes_of_a_mac_are_not_looked_at(noise, member):
    shp = io.BytesIO()
    with make_writer(shp=shp, shapeType=shapefile.POLYGON) as writer:
        writer.poly([TRIANGLE])
    content = {"a.kml": placemarks(kml_polygon(SQUARE)).encode(), "a.shp": shp.getvalue()}[member]
    members = io.BytesIO()
    with zipfile.ZipFile(members, "w") as archive:
        archive.writestr(noise, b"\0\5\x16\7" + bytes(100))
        archive.writestr(member, content)

    assert kinds(read(members.getvalue())) == ["polygon"]


def table(name: bytes, language: int = 0, cpg: str = "") -> bytes:
    """Return a zipped shapefile whose only record has this name, in bytes."""
    shp, dbf = io.BytesIO(), io.BytesIO()
    with make_writer(shp=shp, dbf=dbf, shapeType=shapefile.POLYGON) as writer:
        writer.field("name", "C", size=20)
        writer.poly([TRIANGLE])
        writer.record("#" * len(name))
    content = bytearray(dbf.getvalue().replace(b"#" * len(name), name))
    content[29] = language
    members = {"a_shp": shp.getvalue(), "a_dbf": bytes(content)}
    return packed(**members, **({"a_cpg": cpg.encode()} if cpg else {}))


@pytest.mark.field("G-08")
@pytest.mark.parametrize(
    ("name", "encoding", "language", "cpg"),
    [
        ("Склад", "cp1251", 0xC9, ""),
        ("Склад", "cp866", 0x65, ""),
        ("Склад", "cp866", 0x26, ""),
        ("Łódź", "cp1250", 0xC8, ""),
        ("Łódź", "cp852", 0x64, ""),
        ("Köln", "cp1252", 0x03, ""),
        ("Köln", "cp850", 0x02, ""),
        ("Αθήνα", "cp1253", 0xCB, ""),
        ("仓库", "gbk", 0x4D, ""),
        ("倉庫", "cp932", 0x13, ""),
        ("Склад", "cp1251", 0, "ANSI 1251"),
        ("Склад", "cp1251", 0x57, "1251"),
        ("Склад", "cp1251", 0, "windows-1251"),
        ("Склад", "cp866", 0, "OEM 866"),
        ("Köln", "latin-1", 0, "88591"),
        ("Łódź", "iso8859-2", 0, "ISO 88592"),
        ("倉庫", "big5", 0, "Big-5"),
        ("仓库", "gbk", 0, "GBK"),
        ("창고", "cp949", 0, "949"),
        ("Склад", "cp1251", 0, "LDID/201"),
        ("Köln à", "utf-8", 0x57, "UTF-8\n"),
        ("Köln à", "utf-8", 0, ""),
    ],
)
def test_the_encoding_of_names_is_read_where_the_file_says_it(name, encoding, language, cpg):
    (found,) = read(table(name.encode(encoding), language, cpg))

    assert (found.name, found.notes) == (name, ())


@pytest.mark.field("G-08")
@pytest.mark.parametrize(
    ("language", "cpg"), [(0x57, ""), (0, ""), (0, "System"), (0, "UTF-8"), (0xFF, "")]
)
def test_names_in_an_encoding_that_nothing_says_are_read_with_a_note(language, cpg):
    body = table("Köln".encode("cp1252"), language, cpg)

    (unsure,) = read(body)
    (chosen,) = read_features(table("Склад".encode("cp1251")), WIDE, "cp1251")

    assert unsure.name == "Köln"
    assert [note.code for note in unsure.notes] == ["encoding-unsure"]
    assert (chosen.name, chosen.notes) == ("Склад", ())


def test_an_encoding_that_is_chosen_and_does_not_fit_is_told():
    (found,) = read_features(table("Köln".encode("cp1252")), WIDE, "utf-8")

    assert [note.code for note in found.notes] == ["encoding-unsure"]


@pytest.mark.field("G-10")
def test_a_multipatch_is_refused_with_its_reason():
    shp = io.BytesIO()
    with make_writer(shp=shp, shapeType=shapefile.MULTIPATCH) as writer:
        corners = [[lon, lat, 0] for lon, lat in TRIANGLE]
        writer.multipatch([corners], partTypes=[shapefile.TRIANGLE_STRIP])

    (found,) = read(packed(a_shp=shp.getvalue()))

    assert found.fault
    assert "MULTIPATCH" in found.fault.detail
    assert not found.is_blank


@pytest.mark.field("G-10")
@pytest.mark.parametrize("more", [-1, 263], ids=["no terminator", "FoxPro"])
def test_a_table_is_read_with_whatever_ends_its_header(more):
    shp, dbf = io.BytesIO(), io.BytesIO()
    with make_writer(shp=shp, dbf=dbf, shapeType=shapefile.POLYGON) as writer:
        writer.field("id", "N")
        writer.field("name", "C")
        writer.poly([TRIANGLE])
        writer.record(7, "yard")
    content = bytearray(dbf.getvalue())
    end = 32 + 2 * 32
    content[end : end + 1] = b"" if more < 0 else b"\r" + bytes(more)
    content[8:10] = (end + 1 + more).to_bytes(2, "little")

    (found,) = read(packed(a_shp=shp.getvalue(), a_dbf=bytes(content)))

    assert found.name == "yard"


@pytest.mark.field("G-13")
@pytest.mark.parametrize(
    ("kind", "coordinates", "properties", "member", "size_m"),
    [
        ("Point", [9, 52], {"radius": 250}, "radius_m", 250),
        ("Point", [9, 52], {"radius_m": 250}, "radius_m", 250),
        ("Point", [9, 52], {"RADIUS": "250"}, "radius_m", 250),
        ("Point", [9, 52], {"radius": None}, "radius_m", 50),
        ("LineString", [[9, 52], [9, 53]], {"width": 300}, "width_m", 300),
        ("LineString", [[9, 52], [9, 53]], {"Width_M": "300.0"}, "width_m", 300),
        ("LineString", [[9, 52], [9, 53]], {"width": ""}, "width_m", 30),
    ],
)
def test_a_size_in_the_file_counts_before_the_assumed_one(
    kind, coordinates, properties, member, size_m
):
    (found,) = read(collection(feature(kind, coordinates, **properties)))

    assert found.shape
    assert found.shape[member] == size_m


@pytest.mark.field("G-13")
def test_a_waypoint_that_knows_its_proximity_is_a_circle_of_it():
    gpx = (
        '<gpx xmlns:gpxx="http://www.garmin.com/xmlschemas/GpxExtensions/v3">'
        '<wpt lat="52" lon="9"><extensions><gpxx:WaypointExtension><gpxx:Proximity>250'
        "</gpxx:Proximity></gpxx:WaypointExtension></extensions></wpt></gpx>"
    )

    (found,) = read(gpx)

    assert found.shape
    assert found.shape["radius_m"] == 250


@pytest.mark.field("G-13")
def test_a_placemark_that_knows_its_radius_is_a_circle_of_it():
    data = '<ExtendedData><Data name="radius"><value>250</value></Data></ExtendedData>'

    (found,) = read(placemarks(data + POINT))

    assert found.shape
    assert found.shape["radius_m"] == 250


@pytest.mark.field("G-25")
def test_xml_that_is_not_well_formed_is_refused_with_the_place():
    assert "line 2, column" in refusal("<kml>\n<a></b></kml>").detail


@pytest.mark.field("G-25")
@pytest.mark.parametrize(
    "name",
    [
        "OGC:1.3:CRS84",
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "OGC:CRS84h",
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        "https://www.opengis.net/def/crs/EPSG/0/4326",
        "epsg:4326",
        "CRS84",
    ],
)
def test_a_crs_in_longitude_and_latitude_is_accepted_as_it_is_written(name):
    crs = {"type": "name", "properties": {"name": name}}
    document = {**json.loads(collection(feature("Point", [9, 52]))), "crs": crs}

    assert kinds(read(json.dumps(document))) == ["circle"]


@pytest.mark.field("G-25")
@pytest.mark.parametrize(
    ("point", "cause"),
    [([52.4, 109.7], "swapped"), ([550_000, 5_800_000], r"\.prj"), ([9, 95], "swapped")],
)
def test_a_point_out_of_range_is_refused_with_the_likely_cause(point, cause):
    with pytest.raises(Unprocessable, match=cause):
        area_of({"type": "circle", "center": point, "radius_m": 50})


def test_a_table_without_a_header_and_codecs_that_are_no_encodings_are_refused():
    assert with_plain_header(b"short") == b"short"
    assert encoding_named("rot13") is None
    assert encoding_named("no such thing") is None
