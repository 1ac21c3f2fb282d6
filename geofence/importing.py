"""An import: every feature checked and reported, then all drawn or none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

import shapely
from django.db import transaction
from django.utils import timezone
from msgspec import Struct
from shapely import MultiPolygon

from accounts.models import Organisation, User
from core.errors import Fault, TooLarge, Unprocessable
from geofence.actions import Drawing, draw_geofences, redraw_geofence, rename_geofence
from geofence.import_options import FoundOptions, OptionsOfFile
from geofence.imports import FoundShape
from geofence.imports.found_shapes import Note, free_name
from geofence.models import Geofence, GeofenceVersion, not_ended
from geofence.shape_checks import Shape
from geofence.shape_simplifying import simplification_offer, simplified_shape
from geofence.shapes import area_of, dissolved

# A file may hold this many points in all, after simplifying.
POINTS = 500_000

Taken = Literal["refuse", "rename", "replace"]
Outcome = Literal["created", "replaced", "unchanged", "acceptable", "skipped", "refused"]


class ImportedFeature(Struct, kw_only=True):
    index: int
    name: str
    outcome: Outcome
    geofence: int | None = None
    code: str = ""
    detail: str = ""
    pointer: str = ""
    points: int = 0
    tolerance_m: float | None = None
    notes: list[Note] = []


class ImportSummary(Struct, frozen=True, kw_only=True):
    dry_run: bool
    features: list[ImportedFeature]

    @property
    def created(self) -> int:
        return self._count("created")

    @property
    def replaced(self) -> int:
        return self._count("replaced")

    @property
    def skipped(self) -> int:
        return self._count("skipped")

    @property
    def refused(self) -> int:
        return self._count("refused")

    def _count(self, outcome: Outcome) -> int:
        return sum(feature.outcome == outcome for feature in self.features)


class ImportChoices(Struct, frozen=True, kw_only=True):
    """The options of an import; `taken` is what becomes of a name that a geofence has already."""

    is_dry_run: bool = False
    is_simplifying: bool = False
    is_dissolving: bool = False
    is_skipping_refused: bool = False
    taken: Taken = "refuse"


class _Plan(Struct, kw_only=True):
    """The result of checking a feature: a new geofence, a version of `present_id`, or nothing."""

    row: ImportedFeature
    shape: Shape = {}
    area: MultiPolygon | None = None
    options: FoundOptions = FoundOptions()
    present_id: int | None = None

    @property
    def drawing(self) -> Drawing:
        colour = {"colour": self.options.colour} if self.options.colour else {}
        return Drawing(
            name=self.row.name,
            shape=self.shape,
            area=self.area,
            judging=self.options.judging,
            **colour,
        )


def import_geofences(
    *,
    organisation: Organisation,
    features: Sequence[FoundShape],
    choices: ImportChoices,
    by: User | None = None,
) -> ImportSummary:
    """Draw all features that have something to draw, or none.

    Raises `Unprocessable` with a fault for each refused feature, unless they are to be skipped,
    or for each feature where none has anything to draw. A dry run returns the same report, and
    stores nothing.
    """
    plans = _plans(organisation, features, choices)
    rows = [plan.row for plan in plans]
    if not choices.is_dry_run:
        _require_drawable(rows, is_skipping_refused=choices.is_skipping_refused)
        drawable = [plan for plan in plans if plan.row.outcome == "acceptable"]
        with transaction.atomic():
            _draw(organisation, [plan for plan in drawable if plan.present_id is None], by)
            _redraw([plan for plan in drawable if plan.present_id is not None], by)
    return ImportSummary(dry_run=choices.is_dry_run, features=rows)


def _plans(
    organisation: Organisation, features: Sequence[FoundShape], choices: ImportChoices
) -> list[_Plan]:
    planner = _Planner(organisation, features, choices)
    plans, points = [], 0
    for number, found in enumerate(features):
        plan = planner.plan(number if found.place is None else found.place, found)
        plans.append(plan)
        points += plan.row.points
        if points > POINTS:
            raise TooLarge(f"More than {POINTS} points in all.", code="too-many-points")
    return plans


class _Planner:
    """Checks each feature and settles its name, which later features then may not have."""

    def __init__(
        self, organisation: Organisation, features: Sequence[FoundShape], choices: ImportChoices
    ) -> None:
        present = Geofence.objects.filter(organisation=organisation, deleted_at__isnull=True)
        self._present: dict[str, int] = dict(present.values_list("name", "pk"))
        self._taken = {*self._present, *(found.name for found in features if found.is_named)}
        self._options = OptionsOfFile(organisation, features)
        self._choices = choices

    def plan(self, index: int, found: FoundShape) -> _Plan:
        row = ImportedFeature(
            index=index, name=found.name, outcome="acceptable", notes=list(found.notes)
        )
        plan = _Plan(row=row)
        if found.fault or not found.shape:
            fault = found.fault or Fault(pointer="", code="geometry-invalid", detail="No shape.")
            _settle(row, "skipped" if found.is_blank else "refused", fault)
            return plan
        try:
            plan.shape, plan.area = _shape_and_area(row, found.shape, self._choices)
        except Unprocessable as error:
            pointer = error.faults[0].pointer if error.faults else ""
            detail = error.detail + _offer(error, found.shape, self._choices)
            _settle(row, "refused", Fault(pointer=pointer, code=error.code, detail=detail))
            return plan
        row.points = int(shapely.get_num_coordinates(plan.area))
        plan.options = self._options.of(found)
        row.notes += plan.options.notes
        self._settle_name(plan, found)
        return plan

    def _settle_name(self, plan: _Plan, found: FoundShape) -> None:
        row = plan.row
        if not found.is_named:
            row.name = free_name(found.name, self._taken)
            self._taken.add(row.name)
        elif found.name in self._present:
            self._settle_taken_name(plan)

    def _settle_taken_name(self, plan: _Plan) -> None:
        row = plan.row
        match self._choices.taken:
            case "refuse":
                detail = (
                    "A geofence has this name already: on_taken_name=replace makes this its new "
                    "version, rename gives it another name."
                )
                _settle(row, "refused", Fault(pointer="", code="already-exists", detail=detail))
            case "rename":
                name = free_name(row.name, self._taken)
                self._taken.add(name)
                detail = f"Renamed, since a geofence is called {row.name} already."
                row.notes.append(Note("renamed", detail))
                row.name = name
            case "replace":
                plan.present_id = self._present[row.name]
                row.geofence = plan.present_id


def _settle(row: ImportedFeature, outcome: Outcome, fault: Fault) -> None:
    row.outcome, row.code, row.detail = outcome, fault.code, fault.detail
    row.pointer = fault.pointer


# --- shapes ------------------------------------------------------------------------------


def _shape_and_area(
    row: ImportedFeature, shape: Shape, choices: ImportChoices
) -> tuple[Shape, MultiPolygon]:
    if choices.is_dissolving and shape["type"] == "multipolygon":
        joined = dissolved(shape)
        if joined is not shape:
            row.notes.append(Note("dissolved", "Parts that touch were joined."))
            shape = joined
    try:
        return shape, area_of(shape)
    except Unprocessable as error:
        if not choices.is_simplifying or error.code != "too-many-points":
            raise
    simple = simplified_shape(shape)
    row.tolerance_m = simple.tolerance_m
    detail = f"Simplified to {simple.points} points, true to {simple.tolerance_m:g} m."
    if simple.joined_m:
        detail += f" Parts less than {simple.joined_m:g} m apart were joined."
    row.notes.append(Note("simplified", detail))
    return simple.shape, area_of(simple.shape)


def _offer(error: Unprocessable, shape: Shape, choices: ImportChoices) -> str:
    """Return a sentence that offers the option that would import the shape, or ""."""
    if error.code == "too-many-points":
        return "" if choices.is_simplifying else simplification_offer(shape)
    if error.code != "geometry-invalid" or shape.get("type") != "multipolygon":
        return ""
    try:
        area_of(dissolved(shape))
    except Unprocessable:
        return ""
    return " Its parts share an edge or overlap: dissolve=true joins them."


# --- all or none -------------------------------------------------------------------------


def _require_drawable(rows: list[ImportedFeature], *, is_skipping_refused: bool) -> None:
    is_any_drawable = any(row.outcome == "acceptable" for row in rows)
    # Where nothing is drawn, the skipped ones are the reason, too.
    ends = ("refused",) if is_any_drawable else ("refused", "skipped")
    wrong = [row for row in rows if row.outcome in ends]
    if not wrong or (is_any_drawable and is_skipping_refused):
        return
    faults = tuple(
        Fault(
            pointer=f"/features/{row.index}{row.pointer}",
            code=row.code,
            detail=f"{row.name}: {row.detail}",
        )
        for row in wrong
    )
    detail = f"{len(wrong)} of {len(rows)} features are refused; nothing was imported."
    if is_any_drawable:
        detail += " skip_refused=true imports the others."
    raise Unprocessable(detail, code="import-refused", faults=faults)


def _draw(organisation: Organisation, plans: list[_Plan], by: User | None) -> None:
    drawings = [plan.drawing for plan in plans]
    created = draw_geofences(organisation=organisation, drawings=drawings, by=by)
    for plan, geofence in zip(plans, created, strict=True):
        plan.row.outcome, plan.row.geofence = "created", geofence.pk


def _redraw(plans: list[_Plan], by: User | None) -> None:
    """Give each geofence of the name a new version, unless it is as in the file already."""
    ids = [plan.present_id for plan in plans if plan.present_id is not None]
    versions = GeofenceVersion.objects.filter(not_ended(timezone.now()), geofence_id__in=ids)
    # The first in time is in force; it overwrites the later ones.
    present = {
        version.geofence_id: version
        for version in versions.select_related("geofence").order_by("-valid_from")
    }
    for plan in plans:
        assert plan.present_id is not None, "only these are redrawn"
        version = present[plan.present_id]
        judging, colour = plan.options.judging, plan.options.colour
        is_recoloured = colour is not None and colour != version.geofence.colour
        is_redrawn = version.shape != plain(plan.shape) or any(
            getattr(version, name) != value for name, value in judging.items()
        )
        if is_recoloured:
            rename_geofence(geofence=version.geofence, colour=colour)
        if is_redrawn:
            redraw_geofence(geofence=version.geofence, shape=plan.shape, by=by, **judging)
        plan.row.outcome = "replaced" if is_recoloured or is_redrawn else "unchanged"


def plain(shape: Shape) -> Shape:
    """Return the shape as it is stored: with lists for tuples."""
    stored: Shape = json.loads(json.dumps(shape))
    return stored
