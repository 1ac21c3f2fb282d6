"""What a file may hold: polygons as they are, lines and points with a width to be said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from core.errors import Fault, TooLarge
from geofence import limits
from geofence.drawing import Shape

NAME_LENGTH = 200


class Assumed(Struct, frozen=True, kw_only=True):
    """What the file cannot say: how wide its lines and how large its points are meant."""

    corridor_width_m: float | None = None
    point_radius_m: float | None = None


class Found(Struct, frozen=True, kw_only=True):
    """One shape of a file, unchecked; or `fault`, whose pointer starts at the feature.

    `place` counts the features of the file, of which one may hold several shapes; None where
    each shape is a feature.
    """

    name: str
    place: int | None = None
    shape: Shape | None = None
    fault: Fault | None = None


def at_most_allowed(features: Iterable[Found]) -> list[Found]:
    """Return the features. Raises `TooLarge` as soon as there are too many."""
    found = list(islice(features, limits.IMPORT_FEATURES + 1))
    if len(found) > limits.IMPORT_FEATURES:
        raise TooLarge(
            f"More than {limits.IMPORT_FEATURES} features; import them in several files.",
            code="too-many-features",
        )
    return found


def polygons(name: str, parts: list[Any]) -> Found:
    """Return one geofence of one or more parts, each a list of rings."""
    if len(parts) == 1:
        return Found(name=name, shape={"type": "polygon", "coordinates": parts[0]})
    return Found(name=name, shape={"type": "multipolygon", "coordinates": parts})


def corridor(name: str, line: Any, width_m: Any) -> Found:
    if width_m is None:
        return refused(name, "width-missing", "A line becomes a corridor: say corridor_width_m.")
    return Found(name=name, shape={"type": "corridor", "coordinates": line, "width_m": width_m})


def circle(name: str, center: Any, radius_m: Any) -> Found:
    if radius_m is None:
        return refused(name, "radius-missing", "A point becomes a circle: say point_radius_m.")
    return Found(name=name, shape={"type": "circle", "center": center, "radius_m": radius_m})


def refused(name: str, code: str, detail: str, pointer: str = "") -> Found:
    return Found(name=name, fault=Fault(pointer=pointer, code=code, detail=detail))


def named(features: Iterable[Found]) -> Iterator[Found]:
    """Give each feature a name of its own: the file's, with a number where it comes again."""
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
    """Return the name as sent, but for its length and for control characters."""
    if not isinstance(text, str | int | float) or isinstance(text, bool):
        return ""
    shown = str(text)[: 2 * NAME_LENGTH]
    printable = "".join(char if char.isprintable() else " " for char in shown)
    return printable.strip()[:NAME_LENGTH].strip()
