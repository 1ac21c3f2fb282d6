"""Visits, and the stock at a moment, computed from the crossings that stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from msgspec import Struct

from geofence.models import Correction, Crossing

INTO = (Crossing.Kind.ENTER, Crossing.Kind.FOUND)
OUT_OF = (Crossing.Kind.EXIT, Crossing.Kind.LOST)


class Visit(Struct, frozen=True, kw_only=True):
    """A visit from an entry to the exit after it; without an exit it is not over.

    Reports are sparse, so the length of the stay is known between two bounds only. `dwell_min_s`
    is from the first to the last sure fix inside, `dwell_max_s` from the last sure fix outside
    before to the first after it; None is unknown, or not over.
    """

    id: int
    asset: int
    asset_name: str
    entry: str
    entered_at: datetime
    entered_not_before: datetime | None
    entered_estimate: datetime | None
    departure: str | None = None
    left_at: datetime | None = None
    left_not_before: datetime | None = None
    left_estimate: datetime | None = None
    dwell_s: float | None = None
    dwell_min_s: float | None = None
    dwell_max_s: float | None = None
    is_corrected: bool = False


def stock_at(geofence_id: int, moment: datetime) -> QuerySet[Crossing]:
    """Return, for each asset that was inside at `moment`, the crossing by which it entered."""
    standing = Crossing.objects.filter(
        geofence_id=geofence_id,
        withdrawn_at__isnull=True,
        kind__in=INTO + OUT_OF,
        at__lte=moment,
    )
    later = standing.filter(asset_id=OuterRef("asset_id")).filter(
        Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
    )
    inside: QuerySet[Crossing] = standing.filter(~Exists(later), kind__in=INTO)
    return inside.select_related("asset")


def entries_of(geofence_id: int) -> QuerySet[Crossing]:
    """Return the crossings that begin visits; `exit_id` is the crossing that ends the visit."""
    exits = Crossing.objects.filter(
        geofence_id=geofence_id,
        asset_id=OuterRef("asset_id"),
        withdrawn_at__isnull=True,
        kind__in=OUT_OF,
        at__gte=OuterRef("at"),
    ).order_by("at", "pk")
    entries: QuerySet[Crossing] = Crossing.objects.filter(
        geofence_id=geofence_id, withdrawn_at__isnull=True, kind__in=INTO
    )
    return entries.annotate(exit_id=Subquery(exits.values("pk")[:1])).select_related("asset")


def visits(entries: Sequence[Any]) -> list[Visit]:
    """Return the visits that begin with rows of `entries_of`, in the same order."""
    exits = Crossing.objects.in_bulk([entry.exit_id for entry in entries if entry.exit_id])
    corrected = _corrected([entry.pk for entry in entries] + list(exits))
    return [_visit(entry, exits.get(entry.exit_id), corrected) for entry in entries]


def _corrected(crossing_ids: Iterable[int]) -> set[int]:
    corrections = Correction.objects.filter(crossing_id__in=crossing_ids)
    return set(corrections.values_list("crossing_id", flat=True))


def _visit(entry: Crossing, departure: Crossing | None, corrected: set[int]) -> Visit:
    begun: dict[str, Any] = {
        "id": entry.pk,
        "asset": entry.asset_id,
        "asset_name": entry.asset.name,
        "entry": entry.kind,
        "entered_at": entry.at,
        "entered_not_before": entry.not_before,
        "entered_estimate": entry.estimate,
        "is_corrected": entry.pk in corrected,
    }
    if departure is None:
        return Visit(**begun)
    begun["is_corrected"] |= departure.pk in corrected
    return Visit(
        **begun,
        departure=departure.kind,
        left_at=departure.at,
        left_not_before=departure.not_before,
        left_estimate=departure.estimate,
        dwell_s=_seconds(entry.estimate, departure.estimate),
        dwell_min_s=_seconds(entry.at, departure.not_before),
        dwell_max_s=_seconds(entry.not_before, departure.not_after),
    )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds between, at least 0: a visit with a single fix has no sure length."""
    if start is None or end is None:
        return None
    return max((end - start).total_seconds(), 0.0)
