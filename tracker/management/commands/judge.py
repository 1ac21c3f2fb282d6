"""`manage.py judge --track FILE --geofences FILE`: the crossings of a track, without a database."""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import shapely
from django.core.management.base import BaseCommand, CommandError
from msgspec import Struct
from shapely import MultiPolygon

from core.errors import Refused, Unprocessable
from core.observation import instant
from geofence import limits
from geofence.crossing_state import CrossingState, FoundCrossing
from geofence.crossings import find_crossings
from geofence.earth import polygons_in
from geofence.imports.found_shapes import AssumedSizes
from geofence.imports.geojson_files import members_of, of_geometry
from geofence.imports.own_exports import as_drawn
from geofence.presets import default_max_accuracy_m
from geofence.shape_checks import Shape
from geofence.shapes import area_of, inradius_m
from geofence.track_files import RecordedTrack, read_track
from geofence.zone import Zone
from geofence.zone_index import ZoneIndex

Name = str | int
# Those of the server; None depends on the size of the geofence.
DEFAULTS: dict[str, Any] = {
    "accuracy_cap_m": None,
    "max_accuracy_m": None,
    "persist_fixes": 1,
    "persist_s": 0.0,
    "judges_pass_through": False,
    "max_gap_s": 300.0,
}
# The messages of this command for a missing size.
WANTED = {
    "radius-missing": "a Point needs its radius in metres as the property `radius`.",
    "width-missing": "a LineString needs its width in metres as the property `width`.",
}


class Command(BaseCommand):
    help = "Print the crossings of a recorded track against geofences, as JSON."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--track", type=Path, required=True, help="JSON of tracks, GPX or CSV")
        parser.add_argument("--geofences", type=Path, required=True, help="GeoJSON")
        parser.add_argument("--device", help="of a track with several: which to judge")
        parser.add_argument("--persist-fixes", type=_counted, metavar="N")
        parser.add_argument("--persist-s", type=_not_negative, metavar="S")
        parser.add_argument(
            "--pass-through", action="store_true", default=None, dest="judges_pass_through"
        )
        parser.add_argument("--max-gap-s", type=_not_negative, metavar="S")
        parser.add_argument(
            "--accuracy-cap-m",
            type=_not_negative,
            metavar="M",
            help="by default half the radius of the largest circle inside each geofence",
        )
        parser.add_argument(
            "--max-accuracy-m",
            type=_not_negative,
            metavar="M",
            help="coarser fixes decide nothing; by default ten times the size of each geofence, "
            "at least 1000",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        track = _read(options["track"], partial(read_track, device=options["device"]))
        self._report(track)
        drawn = _read(options["geofences"], read_geofences)
        zones = [_zone(number, feature, options) for number, feature in enumerate(drawn)]
        found = find_crossings(CrossingState(), track.fixes, ZoneIndex(zones))
        crossings = [crossing for crossing in found if crossing.kind not in ("found", "lost")]
        crossings.sort(key=_order)
        documents = [
            _document(drawn[crossing.geofence_id].name, crossing) for crossing in crossings
        ]
        # In ASCII, since the reader of the output may not expect other letters in names.
        self.stdout.write(json.dumps(documents, indent=2))

    def _report(self, track: RecordedTrack) -> None:
        """Say on standard error what was left out, since standard output is JSON."""
        if track.without_place:
            self.stderr.write(f"Left out: {track.without_place} rows without a place.")
        if track.at_zero:
            self.stderr.write(f"Left out: {track.at_zero} fixes at exactly 0, 0.")


class DrawnFeature(Struct, frozen=True, kw_only=True):
    """A feature with its shapes; `own` are the options of a geofence that we exported."""

    name: Name
    shapes: list[Shape]
    own: Mapping[str, Any] = {}


def read_geofences(body: bytes) -> list[DrawnFeature]:
    """Return the features: polygons, and points and lines with a size.

    A feature without a `name` is named by its index. Raises `Unprocessable`.
    """
    return [_feature(index, feature) for index, feature in enumerate(members_of(body))]


def _feature(index: int, feature: Any) -> DrawnFeature:
    if not isinstance(feature, dict):
        raise _unfit(index, "it is no JSON object.")
    is_feature = feature.get("type") == "Feature"
    properties = (feature.get("properties") if is_feature else None) or {}
    if not isinstance(properties, dict):
        raise _unfit(index, "properties must be an object.")
    geometry = feature.get("geometry") if is_feature else feature
    name = properties.get("name")
    found = [as_drawn(shape) for shape in of_geometry(geometry, properties, AssumedSizes())]
    for fault in (shape.fault for shape in found if shape.fault):
        raise _unfit(index, WANTED.get(fault.code, fault.detail))
    return DrawnFeature(
        name=index if name is None else name,
        shapes=[found_shape.shape for found_shape in found if found_shape.shape],
        own=found[0].own if found else {},
    )


def _unfit(index: int, detail: str) -> Unprocessable:
    return Unprocessable(f"feature {index}: {detail}", code="not-geojson")


def _zone(number: int, feature: DrawnFeature, options: dict[str, Any]) -> Zone:
    shapes = feature.shapes
    try:
        areas = [area_of(shape, limits.COMMAND_LINE) for shape in shapes]
    except Refused as error:
        place = "".join(f" ({fault.pointer})" for fault in error.faults if fault.pointer)
        detail = f"feature {number}: {error.detail}{place}"
        raise CommandError(f"{options['geofences']}: {detail}") from error
    area = _united(areas)
    size_m = inradius_m(area, shapes[0] if len(shapes) == 1 else None)
    # The command line counts first, then what our export says, then the defaults of the server.
    said = {name: value for name, value in feature.own.items() if _is_option(name, value)}
    said |= {name: options[name] for name in DEFAULTS if options[name] is not None}
    of_size = {"accuracy_cap_m": size_m / 2.0, "max_accuracy_m": default_max_accuracy_m(size_m)}
    judging = {**DEFAULTS, **of_size, **said}
    return Zone(
        geofence_id=number,
        version_id=number,
        area=area,
        accuracy_cap_m=judging["accuracy_cap_m"],
        max_accuracy_m=judging["max_accuracy_m"],
        persist_fixes=judging["persist_fixes"],
        persist_us=round(judging["persist_s"] * 1e6),
        judges_pass_through=judging["judges_pass_through"],
        max_gap_us=round(judging["max_gap_s"] * 1e6),
        floor_m=judging.get("floor_m", -math.inf),
        ceiling_m=judging.get("ceiling_m", math.inf),
        valid_from_us=-(1 << 62),
    )


def _is_option(name: str, value: Any) -> bool:
    """Return whether an option of our export has a value that can be judged by."""
    if name == "judges_pass_through":
        return isinstance(value, bool)
    if name in ("floor_m", "ceiling_m"):
        return type(value) in (int, float)
    if name == "persist_fixes":
        return type(value) is int and value >= 1
    return name in DEFAULTS and type(value) in (int, float) and value >= 0


def _united(areas: list[MultiPolygon]) -> MultiPolygon:
    # Several only if a feature holds several points or lines, or a collection.
    return areas[0] if len(areas) == 1 else MultiPolygon(polygons_in(shapely.union_all(areas)))


def _order(crossing: FoundCrossing) -> tuple[int, int, int]:
    return crossing.at_us, crossing.confirmed.at_us, crossing.geofence_id


def _document(name: Name, crossing: FoundCrossing) -> dict[str, Any]:
    document: dict[str, Any] = {
        "geofence": name,
        "kind": crossing.kind,
        "at": _rfc3339(crossing.at_us),
        "not_before": _rfc3339(crossing.not_before_us),
        "not_after": _rfc3339(crossing.not_after_us),
        "estimate": _rfc3339(crossing.estimate_us),
        "inferred": crossing.is_inferred,
    }
    if crossing.kind == "pass":
        left = _rfc3339(crossing.left_estimate_us)
        times = {"entered": _rfc3339(crossing.estimate_us), "left": left}
        document |= {"estimate": times, **times}
    return document


def _rfc3339(at_us: int | None) -> str | None:
    if at_us is None:
        return None
    at: datetime = instant(at_us)
    return at.isoformat().replace("+00:00", "Z")


def _read(file: Path, read: Callable[[bytes], Any]) -> Any:
    try:
        return read(file.read_bytes())
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    except Refused as error:
        faults = msgspec.to_builtins(error.faults)
        raise CommandError(f"{file}: {error.detail} {faults or ''}".strip()) from error


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0.0 <= value < math.inf:
        raise ArgumentTypeError("must be a number from 0 up")
    return value


def _counted(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("must be a whole number from 1 up")
    return int(text)
