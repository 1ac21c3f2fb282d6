"""Every change of a geofence: a function for each.

A change raises the revision of the organisation's geofences under its row lock, marks
each changed version with it, and asks for the concerned past to be judged again.
A version is never deleted: a version that no longer holds at any time has an empty period.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Unpack

import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Organisation, User
from assets.models import Asset
from core.errors import Conflict, Fault, NotFound, Unprocessable
from geofence.dependents import end_dependents_of
from geofence.models import Geofence, GeofenceVersion
from geofence.presets import Judging
from geofence.shape_checks import Shape, pointing_into
from geofence.shapes import area_of, inradius_m
from positions.actions import ask_for_rejudging

DEFAULT_COLOUR = "#005a9c"
JUDGING_FIELDS = tuple(Judging.__annotations__)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A geofence to be drawn; `area` is the area of the shape, if it is known already."""

    name: str
    shape: Shape
    colour: str = DEFAULT_COLOUR
    judging: Judging = field(default_factory=Judging)
    area: shapely.MultiPolygon | None = None


def draw_geofence(
    *,
    organisation: Organisation,
    name: str,
    shape: Shape,
    colour: str = DEFAULT_COLOUR,
    valid_from: datetime | None = None,
    by: User | None = None,
    **judging: Unpack[Judging],
) -> Geofence:
    """Draw a geofence that holds from now, or from a moment in the past or the future."""
    drawing = Drawing(name=name, shape=shape, colour=colour, judging=judging)
    (geofence,) = draw_geofences(
        organisation=organisation, drawings=[drawing], valid_from=valid_from, by=by
    )
    return geofence


def draw_geofences(
    *,
    organisation: Organisation,
    drawings: Sequence[Drawing],
    valid_from: datetime | None = None,
    by: User | None = None,
) -> list[Geofence]:
    """Draw all geofences, or none. Raises `Conflict` for a taken name."""
    since = valid_from or timezone.now()
    geofences = [
        Geofence(organisation=organisation, name=drawing.name, colour=drawing.colour)
        for drawing in drawings
    ]
    # Areas are computed before the lock is taken.
    versions = [
        _version(geofence, since, drawing)
        for geofence, drawing in zip(geofences, drawings, strict=True)
    ]
    with transaction.atomic():
        _require_own_assets(organisation.pk, versions)
        revision = raise_revision(organisation.pk)
        _create_named(geofences)
        for version in versions:
            version.revision = revision
        GeofenceVersion.objects.bulk_create(versions, batch_size=500)
        _rejudge(organisation.pk, versions, since, "geofence drawn", by)
    return geofences


def redraw_geofence(
    *,
    geofence: Geofence,
    shape: Shape | None = None,
    valid_from: datetime | None = None,
    by: User | None = None,
    **judging: Unpack[Judging],
) -> GeofenceVersion:
    """Give a geofence another shape or judging, from now or from any other moment on.

    Options that are not given stay as they were at that moment. Versions that would have begun
    later are replaced.
    """
    since = valid_from or timezone.now()
    area = _area(shape) if shape is not None else None
    with transaction.atomic():
        revision = raise_revision(geofence.organisation_id)
        _require_present(geofence)
        former = _version_at(geofence, since)
        options = {name: getattr(former, name) for name in JUDGING_FIELDS} | dict(judging)
        version = GeofenceVersion(geofence=geofence, valid_from=since, **options)
        _put_shape(version, shape, area, former)
        _require_sound(version)
        _require_own_assets(geofence.organisation_id, [version])
        ended = end_versions(geofence, since, revision)
        version.revision = revision
        version.save(force_insert=True)
        _rejudge(geofence.organisation_id, [*ended, version], since, "geofence redrawn", by)
    return version


def rename_geofence(
    *, geofence: Geofence, name: str | None = None, colour: str | None = None
) -> Geofence:
    """Change name and colour of a geofence; nothing is judged again."""
    geofence.name = geofence.name if name is None else name
    geofence.colour = geofence.colour if colour is None else colour
    with transaction.atomic():
        _require_present(geofence)
        try:
            with transaction.atomic():
                geofence.save(update_fields=["name", "colour"])
        except IntegrityError as error:
            raise _taken(geofence.name) from error
    return geofence


def delete_geofence(
    *, geofence: Geofence, at: datetime | None = None, by: User | None = None
) -> None:
    """End a geofence and the rules about it now or at a moment in the past.

    Its crossings until then stay.
    """
    moment = at or timezone.now()
    if moment > timezone.now():
        raise Unprocessable("A geofence cannot be deleted in the future.", code="out-of-range")
    with transaction.atomic():
        revision = raise_revision(geofence.organisation_id)
        _require_present(geofence)
        ended = end_versions(geofence, moment, revision)
        Geofence.objects.filter(pk=geofence.pk).update(deleted_at=moment)
        geofence.deleted_at = moment
        end_dependents_of(geofence.pk, moment)
        _rejudge(geofence.organisation_id, ended, moment, "geofence deleted", by)


def raise_revision(organisation_id: int) -> int:
    """Raise the revision of the organisation's geofences and return it; its row stays locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO geofence_revision AS r (organisation_id, revision) VALUES (%s, 1)"
            " ON CONFLICT (organisation_id) DO UPDATE SET revision = r.revision + 1"
            " RETURNING r.revision",
            [organisation_id],
        )
        row = cursor.fetchone()
    assert row is not None, "an upsert returns its row"
    return int(row[0])


def end_versions(geofence: Geofence, moment: datetime, revision: int) -> list[GeofenceVersion]:
    """End all versions at `moment`; return the changed versions."""
    ended: list[GeofenceVersion] = []
    for version in _lasting_beyond(geofence, moment):
        version.valid_to = max(moment, version.valid_from)
        version.revision = revision
        ended.append(version)
    GeofenceVersion.objects.bulk_update(ended, ["valid_to", "revision"])
    return ended


def _lasting_beyond(geofence: Geofence, moment: datetime) -> list[GeofenceVersion]:
    """Return the versions that hold at some time after `moment`, in order."""
    versions = (
        GeofenceVersion.objects.filter(geofence=geofence).defer("area").order_by("valid_from")
    )
    return [
        version
        for version in versions
        if version.valid_to is None or version.valid_to > max(moment, version.valid_from)
    ]


def _version_at(geofence: Geofence, moment: datetime) -> GeofenceVersion:
    """Return the version that holds at `moment`, otherwise the nearest version."""
    later = _lasting_beyond(geofence, moment)
    if later:
        return later[0]
    last = GeofenceVersion.objects.filter(geofence=geofence).order_by("-valid_from", "-pk").first()
    assert isinstance(last, GeofenceVersion), "a geofence is drawn with a version"
    return last


def _version(geofence: Geofence, since: datetime, drawing: Drawing) -> GeofenceVersion:
    version = GeofenceVersion(geofence=geofence, valid_from=since, **drawing.judging)
    _put_shape(version, drawing.shape, drawing.area or _area(drawing.shape), None)
    _require_sound(version)
    return version


def _area(shape: Shape) -> shapely.MultiPolygon:
    with pointing_into("/shape"):
        return area_of(shape)


def _put_shape(
    version: GeofenceVersion,
    shape: Shape | None,
    area: shapely.MultiPolygon | None,
    former: GeofenceVersion | None,
) -> None:
    if area is not None:
        stored: Any = GEOSGeometry(memoryview(area.wkb), srid=4326)
        version.shape, version.area = shape, stored
        version.inradius_m = inradius_m(area, shape)
        return
    assert former is not None, "a first version has a shape"
    version.shape, version.area = former.shape, former.area
    version.inradius_m = former.inradius_m


def _require_sound(version: GeofenceVersion) -> None:
    floor_m, ceiling_m = version.floor_m, version.ceiling_m
    if floor_m is not None and ceiling_m is not None and floor_m >= ceiling_m:
        detail = "The ceiling must be above the floor."
        fault = Fault(pointer="/ceiling_m", code="out-of-range", detail=detail)
        raise Unprocessable(detail, code="out-of-range", faults=(fault,))


def _require_own_assets(organisation_id: int, versions: Iterable[GeofenceVersion]) -> None:
    """Refuse assets of another organisation exactly like assets that do not exist."""
    named = {asset_id for version in versions for asset_id in version.asset_ids}
    if not named:
        return
    own = Asset.objects.filter(organisation_id=organisation_id, pk__in=named)
    if unknown := named - set(own.values_list("pk", flat=True)):
        detail = f"No asset with id {min(unknown)}."
        fault = Fault(pointer="/asset_ids", code="does-not-exist", detail=detail)
        raise Unprocessable(detail, faults=(fault,))


def _require_present(geofence: Geofence) -> None:
    """Raise `NotFound` if the geofence was deleted meanwhile; lock its row otherwise."""
    rows = Geofence.objects.select_for_update().filter(pk=geofence.pk, deleted_at__isnull=True)
    if not rows.exists():
        raise NotFound


def _create_named(geofences: list[Geofence]) -> None:
    try:
        with transaction.atomic():
            Geofence.objects.bulk_create(geofences, batch_size=1000)
    except IntegrityError as error:
        raise _taken(*(geofence.name for geofence in geofences)) from error


def _taken(*names: str) -> Conflict:
    detail = "There is a geofence of this name already."
    fault = Fault(pointer="/name", code="already-exists", detail=detail)
    return Conflict(
        f"{detail} ({names[0]})" if len(names) == 1 else detail,
        code="already-exists",
        faults=(fault,),
    )


def _rejudge(
    organisation_id: int,
    versions: Iterable[GeofenceVersion],
    since: datetime,
    reason: str,
    by: User | None,
) -> None:
    """Ask for the concerned assets to be judged again from `since` on, unless it is to come."""
    if since > timezone.now():
        return
    touched = list(versions)
    # A version with tags, or without tags and assets, may concern any asset.
    is_listed = all(version.asset_ids and not version.tags for version in touched)
    asset_ids = {asset_id for version in touched for asset_id in version.asset_ids}
    ask_for_rejudging(
        organisation_id=organisation_id,
        since=since,
        reason=reason,
        asset_ids=tuple(sorted(asset_ids)) if is_listed else (),
        by=by,
    )
