"""Shapes found in a file: polygons as they are, and lines and points that need a size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from core.errors import Fault, TooLarge
from geofence import limits
from geofence.shape_checks import Shape

NAME_LENGTH = 200


class AssumedSizes(Struct, frozen=True, kw_only=True):
    """Sizes that a file does not contain: the width of its lines and the radius of its points."""

    corridor_width_m: float | None = None
    point_radius_m: float | None = None


class FoundShape(Struct, frozen=True, kw_only=True):
    """A shape of a file, unchecked; or a `fault`, whose pointer starts at the feature.

    `place` is the number of its feature in the file, since a feature may hold several shapes;
    None if each shape is a feature.
    """

    name: str
    place: int | None = None
    shape: Shape | None = None
    fault: Fault | None = None


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


def named(features: Iterable[FoundShape]) -> Iterator[FoundShape]:
    """Give each feature a unique name: the name in the file, with a number if it is repeated."""
    taken: set[str] = set()
    for index, feature in enumerate(features, start=1):
        wanted = clean_name(feature.name) or f"Geofence {index}"
        name, number = wanted, 1
        while name in taken:
            number += 1
            suffix = f" ({number})"
            name = wanted[: NAME_LENGTH - len(suffix)] + suffix
        taken.add(name)
        yield msgspec.structs.replace(feature, name=name)


def clean_name(text: Any) -> str:
    """Return the name as sent, but shortened and without control characters."""
    if not isinstance(text, str | int | float) or isinstance(text, bool):
        return ""
    shown = str(text)[: 2 * NAME_LENGTH]
    printable = "".join(char if char.isprintable() else " " for char in shown)
    return printable.strip()[:NAME_LENGTH].strip()
