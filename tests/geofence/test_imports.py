"""Files that strangers made: what is read, what is refused, and what a bomb does not do."""

from __future__ import annotations

import io
import json
import random
import zipfile
from contextlib import closing, suppress
from typing import Any

import pytest
import shapefile
import shapely
from pyproj import CRS, Transformer

from core.errors import Refused, TooLarge, Unprocessable
from geofence import limits
from geofence.imports import AssumedSizes, FoundShape, read_features
from geofence.shapes import area_of
from tests.geofence.shapes import box_ring, ring

WIDE = AssumedSizes(corridor_width_m=30, point_radius_m=50)
TRIANGLE = [[9.0, 52.0], [9.1, 52.0], [9.1, 52.1], [9.0, 52.0]]
KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark><name>Yard</name><Polygon>
  <outerBoundaryIs><LinearRing><coordinates>
    0,0,5 10,0,5 10,10,5 0,10,5 0,0,5</coordinates></LinearRing></outerBoundaryIs>
  <innerBoundaryIs><LinearRing><coordinates>
    4,4 6,4 6,6 4,6 4,4</coordinates></LinearRing></innerBoundaryIs>
</Polygon></Placemark>
<Folder><Placemark><name>Two halls</name><MultiGeometry>
  <Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 1,0 1,1 0,0</coordinates>
  </LinearRing></outerBoundaryIs></Polygon>
  <Polygon><outerBoundaryIs><LinearRing><coordinates>2,0 3,0 3,1 2,0</coordinates>
  </LinearRing></outerBoundaryIs></Polygon>
</MultiGeometry></Placemark></Folder>
<Placemark><name>Road</name><LineString><coordinates>9,52 9.1,52.1</coordinates></LineString>
</Placemark>
<Placemark><name>Gate</name><Point><coordinates>9.7,52.4,0</coordinates></Point></Placemark>
</Document></kml>"""
GPX = """<?xml version="1.0"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">
<wpt lat="52.4" lon="9.7"><name>Gate</name></wpt>
<rte><name>Round</name><rtept lat="52.4" lon="9.7"/><rtept lat="52.5" lon="9.8"/></rte>
<trk><name>Tuesday</name>
<trkseg><trkpt lat="52.4" lon="9.7"/><trkpt lat="52.5" lon="9.7"/></trkseg>
<trkseg><trkpt lat="53.4" lon="9.7"/><trkpt lat="53.5" lon="9.7"/></trkseg></trk></gpx>"""


def read(text: str | bytes, assumed: AssumedSizes = WIDE) -> list[FoundShape]:
    return read_features(text.encode() if isinstance(text, str) else text, assumed)


def refusal(body: str | bytes) -> Refused:
    with pytest.raises((Unprocessable, TooLarge)) as caught:
        read(body)
    return caught.value


def names(found: list[FoundShape]) -> list[str]:
    return [feature.name for feature in found]


def kinds(found: list[FoundShape]) -> list[Any]:
    """Return the type of each shape, or why there is none."""
    return [one.shape["type"] if one.shape else one.fault and one.fault.code for one in found]


def drawn(found: FoundShape) -> dict[str, Any]:
    assert found.shape is not None
    return found.shape


def collection(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


def feature(geometry_type: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": geometry_type, "coordinates": coordinates},
        "properties": properties,
    }


def packed(**members: str | bytes) -> bytes:
    """Return a zip; a member's name is its keyword with the last _ as the dot."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(".".join(name.rsplit("_", 1)), content)
    return body.getvalue()


def packed_as(name: str, content: str | bytes) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return body.getvalue()


def shapefile_parts(to_plane: Any = None) -> dict[str, bytes]:
    """Return .shp, .shx and .dbf of a polygon with a hole and a far away triangle."""
    parts: dict[str, Any] = {name: io.BytesIO() for name in ("shp", "shx", "dbf")}
    project = to_plane or (lambda lon, lat: (lon, lat))
    make_writer: Any = shapefile.Writer
    with closing(make_writer(**parts)) as writer:
        writer.field("name", "C")
        shell = [project(*p) for p in reversed(box_ring(9, 52, 10, 53))]
        hole = [project(*p) for p in box_ring(9.4, 52.4, 9.6, 52.6)]
        writer.poly([shell, hole])
        writer.record("Harbour")
        writer.poly([[project(*p) for p in reversed(ring((11, 52), (11.1, 52), (11.1, 52.1)))]])
        writer.record("Kühlhaus")
    return {f"zone_{name}": stream.getvalue() for name, stream in parts.items()}


# --- what is read --------------------------------------------------------------------


def test_geojson_polygons_lines_and_points_become_shapes():
    found = read(
        collection(
            feature("Polygon", [TRIANGLE], name="Yard"),
            feature("MultiPolygon", [[TRIANGLE]], name="Hall"),
            feature("LineString", [[9, 52, 1], [9.1, 52, 1]], name="Road", width_m=12),
            feature("Point", [9, 52, 1], name="Gate"),
        )
    )

    assert names(found) == ["Yard", "Hall", "Road", "Gate"]
    assert kinds(found) == ["polygon", "polygon", "corridor", "circle"]
    assert drawn(found[2])["width_m"] == 12
    assert found[3].shape == {"type": "circle", "center": [9, 52], "radius_m": 50}


def test_a_geometry_collection_holds_the_shapes_that_are_in_it():
    parts = [
        {"type": "Polygon", "coordinates": [TRIANGLE]},
        {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [9, 52]}]},
    ]
    whole = {"type": "GeometryCollection", "geometries": parts}

    found = read(collection({"type": "Feature", "properties": {"name": "Site"}, "geometry": whole}))

    assert names(found) == ["Site", "Site (2)"]
    assert kinds(found) == ["polygon", "circle"]


@pytest.mark.fault("F-063")
def test_a_geometry_collection_nested_beyond_sense_is_refused():
    deep = '{"type": "GeometryCollection", "geometries": [' * 500 + "]}" * 500

    assert refusal(deep).code == "not-geojson"


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "MultiPoint", "coordinates": []},
        {"type": "MultiLineString", "coordinates": []},
        {"type": "GeometryCollection", "geometries": []},
        {"type": "GeometryCollection"},
    ],
    ids=lambda geometry: geometry["type"],
)
def test_a_feature_without_any_shape_is_reported(geometry):
    found = read(collection(feature("Point", [9, 52]), {"type": "Feature", "geometry": geometry}))

    assert kinds(found) == ["circle", "geometry-invalid"]


def test_each_shape_has_the_number_of_its_feature():
    found = read(collection(feature("MultiPoint", [[9, 52], [9, 53]]), feature("Star", [])))

    assert [one.place for one in found] == [0, 0, 1]


@pytest.mark.parametrize(
    "name",
    [
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "urn:ogc:def:crs:OGC::CRS84",
        "urn:ogc:def:crs:EPSG::4326",
        "EPSG:4326",
    ],
)
def test_a_crs_that_says_longitude_and_latitude_says_nothing_new(name):
    document = json.loads(collection(feature("Polygon", [TRIANGLE])))
    document["crs"] = {"type": "name", "properties": {"name": name}}

    assert kinds(read(json.dumps(document))) == ["polygon"]


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}},
        {"type": "name", "properties": {"name": "EPSG:4326 and more"}},
        {"type": "link", "properties": {"href": "http://127.0.0.1:9/crs"}},
        {"type": "name", "properties": {"name": 4326}},
        {"type": "name", "properties": []},
        "EPSG:4326",
        None,
    ],
)
def test_any_other_crs_is_refused(crs):
    document = json.loads(collection(feature("Polygon", [TRIANGLE])))

    assert refusal(json.dumps({**document, "crs": crs})).code == "not-geojson"


def test_kml_keeps_holes_groups_and_widths():
    found = read(KML)

    assert names(found) == ["Yard", "Two halls", "Road", "Gate"]
    assert kinds(found) == ["polygon", "multipolygon", "corridor", "circle"]
    assert area_of(found[0].shape).area == pytest.approx(96)
    assert drawn(found[2])["width_m"] == 30


def test_gpx_tracks_and_routes_are_corridors_and_waypoints_circles():
    found = read(GPX)

    assert names(found) == ["Gate", "Round", "Tuesday", "Tuesday (2)"]
    assert kinds(found) == ["circle", "corridor", "corridor", "corridor"]
    assert drawn(found[1])["coordinates"] == [(9.7, 52.4), (9.8, 52.5)]


def test_a_kmz_is_the_kml_inside():
    assert names(read(packed(doc_kml=KML))) == names(read(KML))


def test_a_shapefile_keeps_holes_and_names():
    found = read(packed(**shapefile_parts(), zone_cpg="UTF-8"))

    assert names(found) == ["Harbour", "Kühlhaus"]
    assert area_of(found[0].shape).area == pytest.approx(1 - 0.04)


def test_a_shapefile_in_metres_is_brought_to_degrees():
    to_utm = Transformer.from_crs(4326, 25832, always_xy=True).transform
    prj = CRS.from_epsg(25832).to_wkt("WKT1_ESRI")

    found = read(packed(**shapefile_parts(to_utm), zone_prj=prj))

    assert area_of(found[0].shape).area == pytest.approx(0.96, rel=1e-6)
    assert shapely.box(8.999, 51.999, 10.001, 53.001).contains(area_of(found[0].shape))


def test_lines_and_points_without_a_size_name_the_missing_parameter():
    found = read(KML, AssumedSizes())

    assert kinds(found)[2:] == ["width-missing", "radius-missing"]


def test_names_lose_control_characters_only():
    found = read(
        collection(
            feature("Polygon", [TRIANGLE], name="<b>Lager</b> \u0007 =1+1"),
            feature("Polygon", [TRIANGLE], name="x" * 300),
            feature("Polygon", [TRIANGLE]),
            feature("Polygon", [TRIANGLE], name={"de": "Hof"}),
        )
    )

    assert names(found) == ["<b>Lager</b>   =1+1", "x" * 200, "Geofence 3", "Geofence 4"]


def test_one_bad_feature_leaves_the_others_readable():
    found = read(
        collection(feature("Polygon", [TRIANGLE]), feature("Star", []), 7, None, {"type": "x"})
    )

    assert kinds(found) == ["polygon"] + ["not-geojson"] * 4


# --- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\x00\x01\x02",
        b"{",
        b"[]",
        b'{"type": "FeatureCollection"}',
        b'{"type": "FeatureCollection", "features": {}}',
        b'{"type": "FeatureCollection", "features": []}',
        b"<",
        b"<html></html>",
        b"<kml></kml>",
        b"<kml><Placemark></kml>",
        b'<?xml version="1.0" encoding="no-such"?><kml/>',
        b"PK\x03\x04 and nothing",
        b"PK\x05\x06" + bytes(18),
    ],
)
def test_what_cannot_be_read_is_refused_as_a_whole(body):
    assert refusal(body).code in ("import-unreadable", "not-geojson")


@pytest.mark.parametrize(
    "coordinates", ["9,52 9.1,5_2", "9,52 ٩,52", "north,south", "9", "nan,nan 1,1", "9,52"]
)
def test_coordinates_that_are_no_numbers_are_a_fault_of_their_placemark(coordinates):
    line = f"<LineString><coordinates>{coordinates}</coordinates></LineString>"

    (found,) = read(f"<kml><Placemark>{line}</Placemark></kml>")

    if found.fault is None:
        with pytest.raises(Unprocessable):
            area_of(found.shape)


@pytest.mark.fault("F-070")
@pytest.mark.parametrize("count", [limits.IMPORT_FEATURES + 1, 5_000])
def test_too_many_features_are_refused_in_each_format(count):
    point = "<Point><coordinates>9,52</coordinates></Point>"
    kml = "<kml>" + f"<Placemark>{point}</Placemark>" * count + "</kml>"
    gpx = "<gpx>" + '<wpt lat="1" lon="1"/>' * count + "</gpx>"
    geojson = collection(*[feature("Point", [9, 52])] * count)

    assert [refusal(body).code for body in (kml, gpx, geojson)] == ["too-many-features"] * 3


def test_a_file_over_the_size_is_refused():
    assert isinstance(refusal(b"{" + bytes(limits.IMPORT_PACKED_BYTES)), TooLarge)


ENTITIES = "".join(f'<!ENTITY l{n + 1} "' + f"&l{n};" * 10 + '">' for n in range(9))
BILLION_LAUGHS = f'<!DOCTYPE kml [<!ENTITY l0 "lol">{ENTITIES}]><kml><name>&l9;</name></kml>'


@pytest.mark.fault("F-169")
@pytest.mark.parametrize(
    "body",
    [
        BILLION_LAUGHS,
        '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml><name>&x;</name></kml>',
        '<!DOCTYPE gpx [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]><gpx><name>&x;</name></gpx>',
        '<!DOCTYPE kml SYSTEM "http://127.0.0.1:9/kml.dtd"><kml/>',
        '<!DOCTYPE kml [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><kml/>',
        "<!DOCTYPE kml><kml/>",
    ],
    ids=["billion laughs", "file", "address", "dtd address", "parameter", "bare doctype"],
)
def test_entities_and_document_types_are_refused_before_they_act(body):
    error = refusal(body)

    assert error.code == "import-unreadable"
    assert "root:" not in error.detail
    packed_error = refusal(packed(doc_kml=body))
    assert packed_error.code == "import-unreadable"


@pytest.mark.fault("F-169")
def test_deep_xml_is_given_up_on_the_way_down():
    error = refusal("<kml>" + "<a>" * 100_000 + "</a>" * 100_000 + "</kml>")

    assert (error.code, "deep" in error.detail) == ("import-unreadable", True)


def test_folders_in_folders_are_read():
    deep = KML.replace("<Placemark>", "<Folder>" * 50 + "<Placemark>", 1).replace(
        "</Placemark>", "</Placemark>" + "</Folder>" * 50, 1
    )

    assert names(read(deep)) == names(read(KML))


@pytest.mark.fault("F-170")
@pytest.mark.parametrize(
    "name", ["../../x.kml", "/etc/x.kml", "a/../../x.kml", "..\\..\\x.kml", "C:\\x.kml"]
)
def test_an_archive_that_points_outside_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert refusal(packed_as(name, KML)).code == "import-unreadable"
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.fault("F-170")
def test_an_archive_that_declares_too_much_is_refused_unread():
    body = packed(doc_kml=bytes(60 << 20))

    assert refusal(body).code == "archive-too-large"


@pytest.mark.fault("F-170")
def test_an_archive_that_lies_about_its_size_is_stopped_while_reading():
    body = bytearray(packed(doc_kml=bytes(4 << 20)))
    central = body.index(b"PK\x01\x02")
    body[central + 24 : central + 28] = (1000).to_bytes(4, "little")
    body[22:26] = (1000).to_bytes(4, "little")

    assert refusal(bytes(body)).code in ("archive-too-large", "import-unreadable")


@pytest.mark.fault("F-170")
def test_an_archive_of_a_hundred_thousand_members_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(limits.IMPORT_MEMBERS + 1):
            archive.writestr(f"{number}", b"")

    assert refusal(stream.getvalue()).code == "archive-too-large"


@pytest.mark.fault("F-170")
def test_a_small_archive_of_countless_tags_is_refused_before_it_is_parsed():
    noise = random.Random(1).randbytes(400_000).hex()
    kml = f"<kml><!--{noise}-->{'<a/>' * (limits.IMPORT_TAGS + 1)}</kml>"

    assert refusal(packed(doc_kml=kml)).code == "archive-too-large"


@pytest.mark.fault("F-170")
def test_a_shapefile_of_countless_points_is_refused_before_it_is_parsed():
    parts = shapefile_parts()
    noise = random.Random(1).randbytes(100_000)
    parts["zone_shp"] = parts["zone_shp"] + noise + bytes(limits.IMPORT_SHP_BYTES)

    assert refusal(packed(**parts)).code == "archive-too-large"


def test_encrypted_members_are_refused():
    body = bytearray(packed(doc_kml=KML))
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1

    assert refusal(bytes(body)).code == "import-unreadable"


@pytest.mark.fault("F-170")
@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_archive_is_read_or_refused_but_never_falls_over(seed):
    dice = random.Random(seed)
    body = bytearray(packed(**shapefile_parts(), zone_prj=CRS.from_epsg(4326).to_wkt()))
    for _ in range(dice.randint(1, 8)):
        body[dice.randrange(len(body))] = dice.randrange(256)

    _read_or_refuse(bytes(body))


@pytest.mark.parametrize("seed", range(150))
def test_a_damaged_shapefile_is_read_or_refused_but_never_falls_over(seed):
    dice = random.Random(seed)
    parts = {name: bytearray(body) for name, body in shapefile_parts().items()}
    part = parts[dice.choice(list(parts))]
    for _ in range(dice.randint(1, 4)):
        part[dice.randrange(len(part))] = dice.choice((0, 1, 127, 128, 255))

    _read_or_refuse(packed(**{name: bytes(body) for name, body in parts.items()}))


@pytest.mark.parametrize("prj", ["", "nonsense", "+proj=pipeline", "x" * 100_000, "\x00"])
def test_an_odd_prj_is_refused(prj):
    assert refusal(packed(**shapefile_parts(), zone_prj=prj)).code == "import-unreadable"


def _read_or_refuse(body: bytes) -> None:
    with suppress(Unprocessable, TooLarge):
        read(body)
