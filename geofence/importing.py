"""An import: every feature checked and reported, then all drawn or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import shapely
from msgspec import Struct
from shapely import MultiPolygon

from accounts.models import Organisation, User
from core.errors import Fault, TooLarge, Unprocessable
from geofence.actions import Drawing, draw_geofences
from geofence.imports import FoundShape
from geofence.models import Geofence
from geofence.shape_checks import Shape
from geofence.shape_simplifying import simplification_offer, simplified_shape
from geofence.shapes import area_of

# A file may hold this many points in all, after simplifying.
POINTS = 500_000


class ImportedFeature(Struct, kw_only=True):
    index: int
    name: str
    outcome: Literal["created", "acceptable", "refused"]
    geofence: int | None = None
    code: str = ""
    detail: str = ""
    pointer: str = ""
    points: int = 0


class ImportSummary(Struct, frozen=True, kw_only=True):
    dry_run: bool
    features: list[ImportedFeature]

    @property
    def created(self) -> int:
        return sum(feature.outcome == "created" for feature in self.features)

    @property
    def refused(self) -> int:
        return sum(feature.outcome == "refused" for feature in self.features)


def import_geofences(
    *,
    organisation: Organisation,
    features: Sequence[FoundShape],
    is_dry_run: bool = False,
    is_simplifying: bool = False,
    by: User | None = None,
) -> ImportSummary:
    """Draw all features, or none. Raises `Unprocessable` with a fault for each refused feature.

    A dry run returns the same report instead, and stores nothing.
    """
    taken = _taken(organisation, features)
    drawings: list[Drawing] = []
    rows: list[ImportedFeature] = []
    points = 0
    for number, found in enumerate(features):
        index = number if found.place is None else found.place
        row, drawing = _checked(index, found, taken, is_simplifying=is_simplifying)
        rows.append(row)
        drawings.extend([drawing] if drawing else [])
        points += row.points
        if points > POINTS:
            raise TooLarge(f"More than {POINTS} points in all.", code="too-many-points")
    if not is_dry_run:
        _require_all(rows)
        created = draw_geofences(organisation=organisation, drawings=drawings, by=by)
        for row, geofence in zip(rows, created, strict=True):
            row.outcome, row.geofence = "created", geofence.pk
    return ImportSummary(dry_run=is_dry_run, features=rows)


def _taken(organisation: Organisation, features: Iterable[FoundShape]) -> set[str]:
    names = Geofence.objects.filter(
        organisation=organisation,
        deleted_at__isnull=True,
        name__in=[feature.name for feature in features],
    )
    return set(names.values_list("name", flat=True))


def _checked(
    index: int, found: FoundShape, taken: set[str], *, is_simplifying: bool
) -> tuple[ImportedFeature, Drawing | None]:
    if found.name in taken:
        return _refused(index, found, "already-exists", "A geofence has this name already."), None
    if found.fault or not found.shape:
        fault = found.fault or Fault(pointer="", code="geometry-invalid", detail="No shape.")
        return _refused(index, found, fault.code, fault.detail, fault.pointer), None
    try:
        shape, area = _shape_and_area(found.shape, is_simplifying=is_simplifying)
    except Unprocessable as error:
        return _refused_shape(index, found, error, found.shape), None
    points = int(shapely.get_num_coordinates(area))
    row = ImportedFeature(index=index, name=found.name, outcome="acceptable", points=points)
    return row, Drawing(name=found.name, shape=shape, area=area)


def _shape_and_area(shape: Shape, *, is_simplifying: bool) -> tuple[Shape, MultiPolygon]:
    try:
        return shape, area_of(shape)
    except Unprocessable as error:
        if not is_simplifying or error.code != "too-many-points":
            raise
    simple = simplified_shape(shape).shape
    return simple, area_of(simple)


def _refused_shape(
    index: int, found: FoundShape, error: Unprocessable, shape: Shape
) -> ImportedFeature:
    detail = error.detail + (simplification_offer(shape) if error.code == "too-many-points" else "")
    pointer = error.faults[0].pointer if error.faults else ""
    return _refused(index, found, error.code, detail, pointer)


def _refused(
    index: int, found: FoundShape, code: str, detail: str, pointer: str = ""
) -> ImportedFeature:
    return ImportedFeature(
        index=index, name=found.name, outcome="refused", code=code, detail=detail, pointer=pointer
    )


def _require_all(rows: list[ImportedFeature]) -> None:
    refused = [row for row in rows if row.outcome == "refused"]
    if not refused:
        return
    faults = tuple(
        Fault(
            pointer=f"/features/{row.index}{row.pointer}",
            code=row.code,
            detail=f"{row.name}: {row.detail}",
        )
        for row in refused
    )
    raise Unprocessable(
        f"{len(refused)} of {len(rows)} features are refused; nothing was imported.",
        code="import-refused",
        faults=faults,
    )
