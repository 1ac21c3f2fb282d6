"""Shapes found in a file: polygons as they are, and lines and points that need a size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from core.errors import Fault, TooLarge
from geofence import limits
from geofence.shape_checks import Shape

NAME_LENGTH = 200
# What files call the radius of a point and the width of a line, in metres.
RADIUS_KEYS = ("radius_m", "radius", "proximity")
WIDTH_KEYS = ("width_m", "width")

LABEL = "A point beside other geometries is a label; with point_radius_m it would be a circle."


class AssumedSizes(Struct, frozen=True, kw_only=True):
    """The width of lines and the radius of points, for those that have none in the file."""

    corridor_width_m: float | None = None
    point_radius_m: float | None = None


class Note(Struct, frozen=True):
    """A remark on an imported feature, for the person who imports it."""

    code: str
    detail: str


class FoundShape(Struct, frozen=True, kw_only=True):
    """A shape of a file, unchecked; or a `fault`, whose pointer starts at the feature.

    `place` is the number of its feature in the file, since a feature may hold several shapes;
    None if each shape is a feature. `is_blank` marks a feature with nothing to draw, and its
    fault says why. `own` are the members of our own export.
    """

    name: str
    place: int | None = None
    shape: Shape | None = None
    fault: Fault | None = None
    is_blank: bool = False
    is_named: bool = True
    own: Mapping[str, Any] = {}
    notes: tuple[Note, ...] = ()

    def with_note(self, code: str, detail: str) -> FoundShape:
        notes = (*self.notes, Note(code, detail))
        return msgspec.structs.replace(self, notes=notes)


def at_most_allowed(features: Iterable[FoundShape]) -> list[FoundShape]:
    """Return the features. Raises `TooLarge` as soon as there are too many."""
    found = list(islice(features, limits.IMPORT_FEATURES + 1))
    if len(found) > limits.IMPORT_FEATURES:
        raise TooLarge(
            f"More than {limits.IMPORT_FEATURES} features; import them in several files.",
            code="too-many-features",
        )
    return found


def polygons(name: str, parts: list[Any]) -> FoundShape:
    """Return a polygon, or a multipolygon for several parts; each part is a list of rings."""
    if len(parts) == 1:
        return FoundShape(name=name, shape={"type": "polygon", "coordinates": parts[0]})
    return FoundShape(name=name, shape={"type": "multipolygon", "coordinates": parts})


def corridor(name: str, line: Any, width_m: Any) -> FoundShape:
    if width_m is None:
        detail = "A line becomes a corridor: corridor_width_m is required."
        return refused(name, "width-missing", detail)
    return FoundShape(
        name=name, shape={"type": "corridor", "coordinates": line, "width_m": width_m}
    )


def circle(name: str, center: Any, radius_m: Any) -> FoundShape:
    if radius_m is None:
        detail = "A point becomes a circle: point_radius_m is required."
        return refused(name, "radius-missing", detail)
    return FoundShape(name=name, shape={"type": "circle", "center": center, "radius_m": radius_m})


def refused(name: str, code: str, detail: str, pointer: str = "") -> FoundShape:
    return FoundShape(name=name, fault=Fault(pointer=pointer, code=code, detail=detail))


def blank(name: str, detail: str, pointer: str = "") -> FoundShape:
    """Return a feature with nothing to draw."""
    fault = Fault(pointer=pointer, code="geometry-invalid", detail=detail)
    return FoundShape(name=name, fault=fault, is_blank=True)


def size_in(properties: Mapping[str, Any], keys: tuple[str, ...], assumed_m: Any) -> Any:
    """Return the size that the file gives a feature, otherwise the assumed size.

    Names count in any case. A text that holds a number is one; other values stay for the checks
    of shapes.
    """
    by_name = {str(key).lower(): value for key, value in properties.items()}
    stated = next((by_name[key] for key in keys if by_name.get(key) not in (None, "")), None)
    if stated is None:
        return assumed_m
    if isinstance(stated, str) and stated.isascii() and "_" not in stated:
        try:
            number_m = float(stated)
        except ValueError:
            return stated
        return number_m if math.isfinite(number_m) else stated
    return stated


def named(features: Iterable[FoundShape]) -> Iterator[FoundShape]:
    """Give each feature a unique name: the name in the file, with a number if it is repeated."""
    taken: set[str] = set()
    for index, feature in enumerate(features, start=1):
        stated = clean_name(feature.name)
        name = free_name(stated or f"Geofence {index}", taken)
        taken.add(name)
        yield msgspec.structs.replace(feature, name=name, is_named=bool(stated))


def free_name(wanted: str, taken: set[str]) -> str:
    """Return the name, or with the first number that makes it unique."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        suffix = f" ({number})"
        name = wanted[: NAME_LENGTH - len(suffix)] + suffix
    return name


def clean_name(text: Any) -> str:
    """Return the name as sent, but shortened and without control characters."""
    if not isinstance(text, str | int | float) or isinstance(text, bool):
        return ""
    shown = str(text)[: 2 * NAME_LENGTH]
    printable = "".join(char if char.isprintable() else " " for char in shown)
    return printable.strip()[:NAME_LENGTH].strip()
