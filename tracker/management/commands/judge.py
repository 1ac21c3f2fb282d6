"""`manage.py judge --track FILE --geofences FILE`: the crossings of a track, without a database."""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import shapely
from django.core.management.base import BaseCommand, CommandError
from shapely import MultiPolygon

from core.errors import Refused, Unprocessable
from core.observation import instant
from geofence import limits
from geofence.crossing_state import CrossingState, FoundCrossing
from geofence.crossings import find_crossings
from geofence.earth import polygons_in
from geofence.imports.found_shapes import AssumedSizes
from geofence.imports.geojson_files import members_of, of_geometry
from geofence.presets import default_max_accuracy_m
from geofence.shape_checks import Shape
from geofence.shapes import area_of, inradius_m
from geofence.track_files import read_track
from geofence.zone import Zone
from geofence.zone_index import ZoneIndex

Name = str | int
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
        parser.add_argument("--persist-fixes", type=_counted, default=1, metavar="N")
        parser.add_argument("--persist-s", type=_not_negative, default=0.0, metavar="S")
        parser.add_argument("--pass-through", action="store_true")
        parser.add_argument("--max-gap-s", type=_not_negative, default=300.0, metavar="S")
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
        fixes = _read(options["track"], read_track)
        drawn = _read(options["geofences"], read_geofences)
        zones = [_zone(number, shape, options) for number, (_, shape) in enumerate(drawn)]
        found = find_crossings(CrossingState(), fixes, ZoneIndex(zones))
        crossings = [crossing for crossing in found if crossing.kind not in ("found", "lost")]
        crossings.sort(key=_order)
        documents = [_document(drawn[crossing.geofence_id][0], crossing) for crossing in crossings]
        # In ASCII, since the reader of the output may not expect other letters in names.
        self.stdout.write(json.dumps(documents, indent=2))


def read_geofences(body: bytes) -> list[tuple[Name, list[Shape]]]:
    """Return name and shapes of each feature: polygons, and points and lines with a size.

    A feature without a `name` is named by its index. Raises `Unprocessable`.
    """
    return [_feature(index, feature) for index, feature in enumerate(members_of(body))]


def _feature(index: int, feature: Any) -> tuple[Name, list[Shape]]:
    if not isinstance(feature, dict):
        raise _unfit(index, "it is no JSON object.")
    is_feature = feature.get("type") == "Feature"
    properties = (feature.get("properties") if is_feature else None) or {}
    if not isinstance(properties, dict):
        raise _unfit(index, "properties must be an object.")
    geometry = feature.get("geometry") if is_feature else feature
    assumed = AssumedSizes(
        corridor_width_m=properties.get("width"), point_radius_m=properties.get("radius")
    )
    name = properties.get("name")
    found = list(of_geometry(geometry, properties, assumed))
    for fault in (shape.fault for shape in found if shape.fault):
        raise _unfit(index, WANTED.get(fault.code, fault.detail))
    shapes = [found_shape.shape for found_shape in found if found_shape.shape]
    return index if name is None else name, shapes


def _unfit(index: int, detail: str) -> Unprocessable:
    return Unprocessable(f"feature {index}: {detail}", code="not-geojson")


def _zone(number: int, shapes: list[Shape], options: dict[str, Any]) -> Zone:
    try:
        areas = [area_of(shape, limits.COMMAND_LINE) for shape in shapes]
    except Refused as error:
        place = "".join(f" ({fault.pointer})" for fault in error.faults if fault.pointer)
        detail = f"feature {number}: {error.detail}{place}"
        raise CommandError(f"{options['geofences']}: {detail}") from error
    cap_m, max_m = options["accuracy_cap_m"], options["max_accuracy_m"]
    area = _united(areas)
    size_m = inradius_m(area, shapes[0] if len(shapes) == 1 else None)
    return Zone(
        geofence_id=number,
        version_id=number,
        area=area,
        accuracy_cap_m=size_m / 2.0 if cap_m is None else cap_m,
        max_accuracy_m=default_max_accuracy_m(size_m) if max_m is None else max_m,
        persist_fixes=options["persist_fixes"],
        persist_us=round(options["persist_s"] * 1e6),
        judges_pass_through=options["pass_through"],
        max_gap_us=round(options["max_gap_s"] * 1e6),
        valid_from_us=-(1 << 62),
    )


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
