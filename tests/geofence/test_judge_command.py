"""`manage.py judge`: the crossings of a track in the hand, against cases worked out by hand."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.geofence.shapes import box_ring, round_ring

FIXTURES = Path(__file__).parents[2] / "fixtures" / "tracks"
# One degree wide around 10° east on the equator: a degree of longitude each minute.
YARD = {"type": "Polygon", "coordinates": [box_ring(9.5, -1, 10.5, 1)]}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def track(*rows: Any, columns: Any = ("lon_deg", "lat_deg", "measured_at")) -> str:
    return json.dumps({"columns": columns, "rows": rows})


def minute(number: int) -> str:
    return f"2026-03-02T09:{number:02d}:00Z"


def eastwards(*lons: float) -> str:
    return track(*([lon, 0.0, minute(number)] for number, lon in enumerate(lons)))


@pytest.fixture
def judge(tmp_path: Path):
    """Return a function that runs the command over texts and returns what it prints."""

    def run(track_text: str | bytes, geofences: Any, *options: str) -> list[dict[str, Any]]:
        body = track_text.encode() if isinstance(track_text, str) else track_text
        (tmp_path / "track").write_bytes(body)
        text = geofences if isinstance(geofences, str) else json.dumps(geofences)
        (tmp_path / "geofences").write_text(text)
        out = io.StringIO()
        paths = ["--track", str(tmp_path / "track"), "--geofences", str(tmp_path / "geofences")]
        call_command("judge", *paths, *options, stdout=out)
        found: list[dict[str, Any]] = json.loads(out.getvalue())
        return found

    return run


def kinds(found: list[dict[str, Any]]) -> list[tuple[Any, str, str]]:
    return [(one["geofence"], one["kind"], one["at"]) for one in found]


def test_entering_and_leaving_are_printed_with_window_and_estimate(judge):
    found = judge(eastwards(9, 10, 11), collection(feature(YARD, name="yard")))

    assert found == [
        {
            "geofence": "yard",
            "kind": "enter",
            "at": "2026-03-02T09:01:00Z",
            "not_before": "2026-03-02T09:00:00Z",
            "not_after": "2026-03-02T09:01:00Z",
            "estimate": "2026-03-02T09:00:30Z",
            "inferred": False,
        },
        {
            "geofence": "yard",
            "kind": "exit",
            "at": "2026-03-02T09:02:00Z",
            "not_before": "2026-03-02T09:01:00Z",
            "not_after": "2026-03-02T09:02:00Z",
            "estimate": "2026-03-02T09:01:30Z",
            "inferred": False,
        },
    ]


def test_passing_through_has_an_estimate_of_both_ends(judge):
    (passing,) = judge(eastwards(8, 12), YARD, "--pass-through")

    assert (passing["kind"], passing["at"], passing["inferred"]) == ("pass", minute(1), True)
    assert (passing["not_before"], passing["not_after"]) == (minute(0), minute(1))
    assert passing["entered"] == "2026-03-02T09:00:22.500000Z"
    assert passing["left"] == "2026-03-02T09:00:37.500000Z"
    assert passing["estimate"] == {"entered": passing["entered"], "left": passing["left"]}


@pytest.mark.fault("F-074")
def test_passing_through_is_printed_only_if_asked_for_and_within_the_gap(judge):
    assert judge(eastwards(8, 12), YARD) == []
    assert judge(eastwards(8, 12), YARD, "--pass-through", "--max-gap-s", "59") == []
    assert len(judge(eastwards(8, 12), YARD, "--pass-through", "--max-gap-s", "60")) == 1


def test_the_first_fix_inside_is_no_entry(judge):
    assert kinds(judge(eastwards(10, 10, 11), YARD)) == [(0, "exit", minute(2))]


def test_persistence_in_fixes_and_in_seconds(judge):
    back_and_forth = eastwards(9, 10, 9, 10, 10, 10)

    assert kinds(judge(back_and_forth, YARD, "--persist-fixes", "2")) == [(0, "enter", minute(3))]
    assert kinds(judge(back_and_forth, YARD, "--persist-s", "120")) == [(0, "enter", minute(3))]
    assert judge(back_and_forth, YARD, "--persist-s", "121") == []


def test_fixes_in_any_order_and_repeated_give_the_same_crossings(judge):
    rows = [[lon, 0.0, minute(number)] for number, lon in enumerate((9, 10, 11, 10, 8))]

    assert judge(track(*rows[::-1], *rows), YARD) == judge(track(*rows), YARD)


def test_crossings_of_several_geofences_come_in_order_of_time(judge):
    inner = {"type": "Polygon", "coordinates": [box_ring(9.8, -1, 10.2, 1)]}

    found = judge(
        eastwards(9, 9.6, 10, 10.4, 11), collection(feature(inner, name="in"), feature(YARD))
    )

    assert kinds(found) == [
        (1, "enter", minute(1)),
        ("in", "enter", minute(2)),
        ("in", "exit", minute(3)),
        (1, "exit", minute(4)),
    ]


# --- accuracy ---------------------------------------------------------------------------

# 0.001° is about 111 m: the second fix is 55 m inside.
ROWS = [
    [9.4, 0.0, minute(0), 5],
    [9.5005, 0.0, minute(1), 100],
    [9.6, 0.0, minute(2), 100],
]
COLUMNS = ("lon_deg", "lat_deg", "measured_at", "accuracy_m")


@pytest.mark.parametrize(
    ("options", "at"),
    [
        ((), minute(2)),
        (("--accuracy-cap-m", "50"), minute(1)),
        (("--accuracy-cap-m", "60"), minute(2)),
    ],
)
def test_an_unsure_fix_does_not_enter(judge, options, at):
    (entry,) = judge(track(*ROWS, columns=COLUMNS), YARD, *options)

    assert (entry["at"], entry["not_before"]) == (at, minute(0))


def test_too_coarse_fixes_decide_nothing(judge):
    assert judge(track(*ROWS, columns=COLUMNS), YARD, "--max-accuracy-m", "99") == []


@pytest.mark.field("G-04")
@pytest.mark.parametrize("radius_m", [50, 120])
def test_a_fix_of_a_cell_takes_nothing_out_of_a_yard(judge, radius_m):
    yard = collection(feature({"type": "Point", "coordinates": [9.5, 0.0]}, radius=radius_m))
    rows = [[9.5, 0.0, minute(0), 5], [9.5225, 0.0, minute(1), 17_000], [9.5, 0.0, minute(2), 5]]

    every_fix = judge(track(*rows, columns=COLUMNS), yard, "--max-accuracy-m", "1e6")

    assert [crossing["kind"] for crossing in every_fix] == ["exit", "enter"]
    assert judge(track(*rows, columns=COLUMNS), yard) == []


def test_by_default_accuracy_counts_up_to_half_the_inradius(judge):
    yard = collection(feature({"type": "Point", "coordinates": [9.5, 0.0]}, radius=100))
    rows = [[9.4, 0.0, minute(0), 500], [9.5, 0.0, minute(1), 500]]

    assert len(judge(track(*rows, columns=COLUMNS), yard)) == 1
    # 0.0005° off its middle, the edge is 44 m away: less than 50 m.
    rows[1][0] = 9.5005
    assert judge(track(*rows, columns=COLUMNS), yard) == []


# --- formats ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    ["lon,lat,time", "Longitude,Latitude,Timestamp", "lng;lat;measured_at", "x\ty\tTime (UTC)"],
)
def test_a_csv_may_spell_its_columns_as_is_usual(judge, head):
    sign = next(sign for sign in ",;\t" if sign in head)
    lines = [head, *(sign.join([str(lon), "0", minute(n)]) for n, lon in enumerate((9, 10)))]

    assert kinds(judge("\r\n".join(lines), YARD)) == [(0, "enter", minute(1))]


def test_a_csv_may_have_other_columns_and_empty_accuracies(judge):
    text = "id,time,lat,lon,accuracy_m\n1,2026-03-02T10:00:00+01:00,0,9,\n2,1772442060,0,10,3\n"

    assert kinds(judge(text, YARD)) == [(0, "enter", minute(1))]


@pytest.mark.parametrize(
    "times",
    [
        ("2026-03-02T09:00:00z", "2026-03-02t09:01:00.25z"),
        ("2026-03-02T10:00:00+01:00", "2026-03-02 09:01:00.2500009Z"),
        ("1772442000", "1772442060.25"),
        ("1772442000000", "1772442060250"),
    ],
)
def test_times_are_rfc_3339_or_counted_since_1970(judge, times):
    text = "lon,lat,time\n" + "".join(
        f"{lon},0,{at}\n" for lon, at in zip((9, 10), times, strict=True)
    )

    assert kinds(judge(text, YARD)) == [(0, "enter", "2026-03-02T09:01:00.250000Z")]


def test_a_quoted_value_of_a_csv_may_go_over_lines_and_hold_delimiters(judge):
    text = (
        '\ufeff"note";"lon";"lat";"time"\r\n'
        f'"by the gate;\r\n\r\nleft\u2028open";"9";"0";"{minute(0)}"\r\n'
        f' ; ;;\r\n"";"10";"0";"{minute(1)}"\r\n'
    )

    assert kinds(judge(text, YARD)) == [(0, "enter", minute(1))]


@pytest.mark.parametrize("at", ["2026-03-02 09:01:00", "2026-03-02T10:01:00+01:00", "1772442060"])
def test_a_time_without_a_zone_is_utc_where_its_column_says_so(judge, at):
    text = f"lon,lat,Time (UTC)\n9,0,{minute(0)}\n10,0,{at}\n"

    assert kinds(judge(text, YARD)) == [(0, "enter", minute(1))]


def gpx(points: str, head: str = '<?xml version="1.0"?>') -> str:
    namespace = "http://www.topografix.com/GPX/1/1"
    return f'{head}<gpx xmlns="{namespace}"><trk><trkseg>{points}</trkseg></trk></gpx>'


def trkpt(lon: float, at: str, more: str = "") -> str:
    return f'<trkpt lat="0" lon="{lon}"><time>{at}</time>{more}</trkpt>'


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_a_gpx_is_read_in_the_encoding_that_it_names(judge, encoding):
    head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    points = trkpt(9, minute(0), "<name>Höfe</name>") + trkpt(10, minute(1))

    assert kinds(judge(gpx(points, head).encode(encoding), YARD)) == [(0, "enter", minute(1))]


@pytest.mark.parametrize(
    "text", [eastwards(9, 10), f"lon,lat,time\n9,0,{minute(0)}\n10,0,{minute(1)}"]
)
def test_a_table_in_utf_16_is_read_as_spreadsheets_write_it(judge, text):
    assert kinds(judge(text.encode("utf-16"), YARD)) == [(0, "enter", minute(1))]


def test_what_a_gpx_says_of_a_fix_counts_before_what_extensions_say(judge):
    further = "<extensions><x><time>never</time><lon>0</lon><accuracy>2</accuracy></x></extensions>"
    points = trkpt(9, minute(0), further) + trkpt(10, minute(1), further)

    assert kinds(judge(gpx(points), YARD)) == [(0, "enter", minute(1))]
    assert judge(gpx(points), YARD, "--max-accuracy-m", "1") == []


def test_tracks_and_their_segments_are_one_and_other_points_no_fixes(judge):
    parts = "</trkseg><trkseg/></trk><trk><trkseg>".join(
        trkpt(lon, minute(number)) for number, lon in enumerate((9, 10))
    )
    other = f'<wpt lat="0" lon="11"><time>{minute(2)}</time></wpt>'

    assert kinds(judge(gpx(parts).replace("<trk>", f"{other}<trk>", 1), YARD)) == [
        (0, "enter", minute(1))
    ]


@pytest.mark.field("G-09")
def test_exactly_zero_is_no_fix_as_on_the_road(judge, capsys):
    yard = {"type": "Point", "coordinates": [9.0, 0.0]}
    rows = [[9.0, 0.0, minute(0)], [0.0, 0.0, minute(1)], [9.0, 0.0, minute(2)]]

    assert judge(track(*rows), feature(yard, radius=1_000)) == []
    assert "1 fixes at exactly 0, 0" in capsys.readouterr().err


@pytest.mark.field("G-20")
@pytest.mark.parametrize(
    ("head", "first", "second"),
    [
        ("lon,lat,time", "9,0,2026-03-02 09:00:00+00", "10,0,2026-03-02 09:01:00+00"),
        ("lon,lat,time", "9,0,2026-03-02 11:00:00 +0200", "10,0,2026-03-02 09:01:00 UTC"),
        ("# Timestamp,MMSI,Latitude,Longitude", "02/03/2026 09:00:00,1,0,9",
         "02/03/2026 09:01:00,1,0,10"),
        ("MMSI,BaseDateTime,LAT,LON", "1,2026-03-02T09:00:00,0,9", "1,2026-03-02T09:01:00,0,10"),
        ("longitude_deg,latitude_deg,fixTime", f"9,0,{minute(0)}", f"10,0,{minute(1)}"),
        ("sep=;\nlon;lat;time", f"9,0;0;{minute(0)}", f"10,0;0,0;{minute(1)}"),
        ("lon,lat,time,accuracy", f"9,0,{minute(0)},-1", f"10,0,{minute(1)},-1.0"),
        ("location-long,location-lat,timestamp,id", f"9,0,{minute(0)},1", f"10,0,{minute(1)},2"),
    ],
)  # fmt: skip
def test_a_csv_is_read_as_its_program_writes_it(judge, head, first, second):
    found = judge(f"{head}\n{first}\n{second}\n", YARD)

    assert kinds(found) == [(0, "enter", minute(1))]


@pytest.mark.field("G-20")
@pytest.mark.parametrize("place", [",", "181,91", "181.0,91.0", "9,91", "181,0"])
def test_a_row_without_a_place_is_left_out_and_counted(judge, capsys, place):
    text = f"lon,lat,time\n9,0,{minute(0)}\n{place},{minute(1)}\n10,0,{minute(2)}\n"

    assert kinds(judge(text, YARD)) == [(0, "enter", minute(2))]
    assert "1 rows without a place" in capsys.readouterr().err


def position(lon: float | None, number: int, device: int = 1, **more: Any) -> dict[str, Any]:
    fix = None if lon is None else {"lon_deg": lon, "lat_deg": 0.0, "accuracy_m": 5.0}
    return {"device": device, "measured_at": minute(number), "fix": fix, **more}


@pytest.mark.field("G-20")
@pytest.mark.parametrize(
    "document",
    [
        {"next": None, "results": [position(9, 0), position(None, 1), position(10, 2)]},
        [position(9, 0), position(10, 2)],
        {"results": [position(9, 0, 1, asset=7), position(10, 2, 2, asset=7)]},
        {"results": [position(9, 0), position(10, 1, is_clock_suspect=True), position(10, 2)]},
        collection(
            feature({"type": "Point", "coordinates": [9, 0]}, **position(9, 0)),
            feature(None, **position(None, 1)),
            feature({"type": "Point", "coordinates": [10, 0]}, **position(10, 2)),
        ),
        feature(
            {"type": "LineString", "coordinates": [[9, 0], [10, 0]]},
            asset=7, coordTimes=[minute(0), minute(2)],
        ),
    ],
)  # fmt: skip
def test_our_own_positions_and_tracks_can_be_judged(judge, document):
    assert kinds(judge(json.dumps(document), YARD)) == [(0, "enter", minute(2))]


@pytest.mark.field("G-20")
def test_a_track_over_the_antimeridian_is_the_same_track(judge):
    line = {"type": "LineString", "coordinates": [[178, 0], [180.5, 0]]}
    fiji = {"type": "Polygon", "coordinates": [box_ring(179, -1, 181, 1)]}
    way = feature(line, coordTimes=[minute(0), minute(1)])

    assert kinds(judge(json.dumps(way), fiji)) == [(0, "enter", minute(1))]


@pytest.mark.field("G-20", "G-11")
def test_our_own_geofences_are_judged_by_their_options(judge):
    yard = feature(YARD, name="yard", persist_fixes=2, judges_pass_through=True, max_gap_s=600)

    assert kinds(judge(eastwards(9, 10, 9), yard)) == []
    assert kinds(judge(eastwards(9, 10, 9), yard, "--persist-fixes", "1"))[0][1] == "enter"
    assert kinds(judge(eastwards(9, 11), yard)) == [("yard", "pass", minute(1))]


@pytest.mark.field("G-18")
@pytest.mark.parametrize(
    "column", ["mmsi", "id", "device", "vehicle_id", "deviceId", "Vessel Name", "IMEI"]
)
def test_a_track_of_several_devices_is_refused_until_one_is_chosen(judge, column):
    rows = [("a", 9, 0), ("b", 10, 0), ("a", 9, 1), ("b", 10, 1), ("a", 10, 2)]
    lines = [f"{name},{lon},0,{minute(number)}" for name, lon, number in rows]
    text = "\n".join([f"{column},lon,lat,time", *lines])

    with pytest.raises(CommandError, match=r"2 devices by .*: a, b\. .*--device"):
        judge(text, YARD)
    with pytest.raises(CommandError, match="there are a, b"):
        judge(text, YARD, "--device", "c")
    assert kinds(judge(text, YARD, "--device", "a")) == [(0, "enter", minute(2))]


@pytest.mark.field("G-18")
def test_a_device_is_not_chosen_where_nothing_tells_devices(judge):
    with pytest.raises(CommandError, match="whose fix"):
        judge(eastwards(9, 10), YARD, "--device", "a")


@pytest.mark.field("G-18")
def test_many_devices_are_not_all_named(judge):
    lines = [f"{number},9,0,{minute(number)}" for number in range(9)]

    with pytest.raises(CommandError, match="9 devices by mmsi: 0, 1, 2, 3, 4, …"):
        judge("\n".join(["mmsi,lon,lat,time", *lines]), YARD)


@pytest.mark.field("G-20")
@pytest.mark.parametrize(
    ("document", "said"),
    [
        (feature({"type": "LineString", "coordinates": [[9, 0], [10, 0]]}), "coordTimes"),
        ({"type": "FeatureCollection", "features": [7]}, "Fix 1: no"),
        ({"results": 7}, "columns and rows"),
    ],
)
def test_json_that_holds_no_track_is_refused(judge, document, said):
    with pytest.raises(CommandError, match=said):
        judge(json.dumps(document), YARD)


@pytest.mark.field("G-13")
@pytest.mark.parametrize("size", [{"radius": 250}, {"radius_m": 250}, {"RADIUS": "250"}])
def test_a_size_is_read_as_an_import_reads_it(judge, size):
    yard = feature({"type": "Point", "coordinates": [9.5, 0.0]}, **size)
    rows = [[9.4, 0.0, minute(0)], [9.502, 0.0, minute(1)]]

    assert len(judge(track(*rows), yard)) == 1


def test_an_estimate_from_gateways_is_no_fix(judge):
    rows = [[9.0, 0.0, minute(0), "gnss"], [10.0, 0.0, minute(1), "gateway"]]
    columns = ("lon_deg", "lat_deg", "measured_at", "method")

    assert judge(track(*rows, columns=columns), YARD) == []


@pytest.mark.parametrize("text", [track(), "[]", "lon,lat,time\n", "<gpx/>", gpx("")])
def test_a_track_without_fixes_has_no_crossings(judge, text):
    assert judge(text, YARD) == []


def test_a_gpx_is_read_with_its_times_as_utc(judge):
    points = "".join(
        f'<trkpt lat="0" lon="{lon}"><ele>5</ele><time>2026-03-02T09:0{n}:00{zone}</time></trkpt>'
        for n, (lon, zone) in enumerate([(9, "Z"), (10, ""), (11, "+00:00")])
    )
    gpx = (
        '<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1">'
        f"<trk><trkseg>{points}</trkseg></trk></gpx>"
    )

    found = judge(gpx, YARD)

    assert kinds(found) == [(0, "enter", minute(1)), (0, "exit", minute(2))]


@pytest.mark.parametrize(
    "geofences",
    [
        YARD,
        feature(YARD),
        {"type": "MultiPolygon", "coordinates": [YARD["coordinates"]]},
        feature({"type": "Point", "coordinates": [10.0, 0.0]}, radius_m=50_000),
        feature({"type": "LineString", "coordinates": [[9.8, 0.0], [10.2, 0.0]]}, width=30_000),
        feature({"type": "MultiPoint", "coordinates": [[10.0, 0.0], [10.1, 0.0]]}, radius=30_000),
        {"type": "GeometryCollection", "geometries": [YARD]},
        feature(YARD, shape={"type": "warehouse"}, radius_m=None),
        {"crs": {"type": "name", "properties": {"name": "EPSG:4326"}}, **collection(feature(YARD))},
    ],
    ids=[
        "polygon",
        "feature",
        "multipolygon",
        "circle",
        "corridor",
        "circles",
        "collection",
        "other properties",
        "crs",
    ],
)
def test_geofences_come_as_any_geojson(judge, geofences):
    assert kinds(judge(eastwards(9, 10, 11), geofences)) == [
        (0, "enter", minute(1)),
        (0, "exit", minute(2)),
    ]


def test_several_shapes_of_one_feature_are_one_geofence_with_one_cap(judge):
    # An eighth of a degree is half the radius of either part, a quarter that of both.
    halves = [box_ring(9.5, -1, 10.0, 1), box_ring(10.0, -1, 10.5, 1)]
    parts = [{"type": "Polygon", "coordinates": [half]} for half in halves]
    rows = [[9.0, 0.0, minute(0), 0], [9.7, 0.0, minute(1), 27_000], [10, 0.0, minute(2), 27_000]]

    found = judge(
        track(*rows, columns=COLUMNS), feature({"type": "GeometryCollection", "geometries": parts})
    )

    assert kinds(found) == [(0, "enter", minute(2))]


def test_a_ring_may_be_finer_than_what_is_drawn_on_the_server(judge):
    shore = {"type": "Polygon", "coordinates": [round_ring((10.0, 0.0), 0.5, 5_000)]}

    assert kinds(judge(eastwards(9, 10), shore)) == [(0, "enter", minute(1))]


def test_a_geofence_over_the_antimeridian(judge):
    fiji = {"type": "Polygon", "coordinates": [box_ring(179, -1, 181, 1)]}

    found = judge(eastwards(178, 179.5, -179.5, -178), fiji)

    assert kinds(found) == [(0, "enter", minute(1)), (0, "exit", minute(3))]


def test_a_way_that_begins_at_the_antimeridian_leaves_where_it_leaves(judge):
    fiji = {"type": "Polygon", "coordinates": [box_ring(179, -1, 181, 1)]}

    (left,) = judge(eastwards(179.99999999999886, -178), fiji)

    assert left["estimate"] == "2026-03-02T09:00:30Z"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no fixes"),
        ('{"rows": []}', "columns and rows"),
        ("{", "Not JSON"),
        ("\n \n", "no fixes"),
        ("lon,lat\n1,2\n", "no time"),
        ("lon,lat\n", "no time"),
        ("lon,lat,time\n1_0,2,2026-03-02T09:00:00Z\n", "Fix 1: '1_0' is not a number"),
        ("lon,lat,time\n٩,2,2026-03-02T09:00:00Z\n", "Fix 1: .* is not a number"),
        (f'lon,lat,time\n"{"x" * 200_000}",2,3\n', "Line 2: field larger"),
        ('{"columns": ["lon", "lat"], "rows": []}', "no time"),
        ('{"columns": [["lon"], "lat", "time"], "rows": [[1, 2, 3]]}', "names of columns"),
        ('<gpx><wpt lat="1" lon="2"/></gpx>', "waypoints are no fixes"),
        ("<kml/>", "no fixes"),
        ("lon,lat,time\n1,95,2026-03-02T09:00:00Z\n", "Fix 1: 95.0 is not a latitude"),
        ("lon,lat,time\n1,nan,2026-03-02T09:00:00Z\n", "not a latitude"),
        ("lon,lat,time\n1,2,2026-03-02T09:00:00\n", "has no zone"),
        ("lon,lat,time\n1,2,yesterday\n", "Fix 1"),
        ("lon,lat,time\n1,,2026-03-02T09:00:00Z\n", "Fix 1: no lat"),
        ("[7]", "A fix is a JSON object"),
        ('[{"lon": true, "lat": 2, "time": 3}]', "Fix 1: true and false"),
        ('{"columns": ["lon", "lat", "time"], "rows": [[1, 2]]}', "Row 1 has not as many"),
        ('<gpx><trkpt lat="1" lon="2"/></gpx>', "Fix 1: no time"),
        (b"lon,lat,time\n\xff", "Byte 13 is not UTF-8"),
        ("lon,lat,time\n".encode("utf-16")[:-1], "Byte 26 is not UTF-16"),
        ("<gpx><trkpt></gpx>", "Not well-formed"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><gpx/>', "refused"),
    ],
)
def test_a_track_that_cannot_be_read_is_refused_with_its_place(judge, text, said):
    with pytest.raises(CommandError, match=said):
        judge(text, YARD)


@pytest.mark.parametrize(
    ("geofences", "said"),
    [
        ("[", "Expecting value at line 1"),
        ("[]", "Not a GeoJSON object"),
        ('{"type": "Feature", "properties": {"name": NaN}}', "NaN is not JSON"),
        (r'{"type": "Feature", "properties": {"name": "\ud800"}}', "lone surrogates"),
        ({"type": "FeatureCollection", "features": [YARD, 7]}, "feature 1: it is no JSON object"),
        ({"type": "Point", "coordinates": [0, 0]}, "feature 0: .* property `radius`"),
        ({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, "feature 0: .*property `width`"),
        ({"type": "MultiPoint", "coordinates": []}, "feature 0: The MultiPoint is empty"),
        ({"type": "GeometryCollection", "geometries": []}, "feature 0"),
        ({**YARD, "coordinates": [[[0, 0], [1, 0], [1, 95], [0, 0]]]}, "/coordinates/0/2/1"),
        ({"crs": {"properties": {"name": "EPSG:25832"}}, **YARD}, "crs"),
        ({"type": "Feature", "properties": "x", "geometry": YARD}, "feature 0: properties"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "valid"),
    ],
)
def test_geofences_that_cannot_be_judged_are_refused(judge, geofences, said):
    with pytest.raises(CommandError, match=said):
        judge(eastwards(9, 10), geofences)


@pytest.mark.parametrize(
    "option", [("--persist-fixes", "0"), ("--persist-s", "-1"), ("--max-gap-s", "inf")]
)
def test_options_out_of_range_are_refused(judge, option):
    with pytest.raises(CommandError):
        judge(eastwards(9, 10), YARD, *option)


def test_neither_servers_nor_settings_are_needed(tmp_path):
    assert kinds(json.loads(printed(tmp_path, YARD))) == [(0, "enter", minute(1))]


def test_names_are_printed_in_ascii(tmp_path):
    crossings = json.loads(
        printed(tmp_path, feature(YARD, name="Höfe 倉庫"), PYTHONIOENCODING="ascii")
    )

    assert [one["geofence"] for one in crossings] == ["Höfe 倉庫"]


def printed(folder: Path, geofences: Any, **environment: str) -> bytes:
    """Return what the command prints about entering, in a process of its own."""
    (folder / "track").write_text(eastwards(9, 10))
    (folder / "yard").write_text(json.dumps(geofences))
    command = [sys.executable, "manage.py", "judge", f"--track={folder}/track"]
    finished = subprocess.run(
        [*command, f"--geofences={folder}/yard"],
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"], "LOCAL_DIR": str(folder), **environment},
        capture_output=True,
        check=True,
    )
    return finished.stdout


def test_a_missing_file_is_named():
    with pytest.raises(CommandError, match=r"nowhere\.json"):
        call_command("judge", "--track", "nowhere.json", "--geofences", "nowhere.geojson")


@pytest.mark.parametrize("name", ["car-drive", "lake-outing"])
def test_the_recorded_tracks_leave_where_they_started(judge, name):
    text = (FIXTURES / f"{name}.json").read_text()
    lon, lat = json.loads(text)["rows"][0][:2]

    found = judge(text, feature({"type": "Point", "coordinates": [lon, lat]}, radius=200))

    assert found[0]["kind"] == "exit"
    assert [one["kind"] for one in found] == ["exit", "enter"] * (len(found) // 2) + ["exit"] * (
        len(found) % 2
    )
