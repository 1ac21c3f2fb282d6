"""Changes of crossings, as plain values for the floors above."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from core.occurrence import Occurrence, OccurrenceChange

# Times in RFC 3339 by name: `at`, `not_before`, `not_after`, `estimate`, `left_estimate`.
Times = dict[str, str | None]


class CrossingChange(Struct, frozen=True, kw_only=True):
    """A change of a crossing, with the crossing as it now stands in its row.

    `new` came in order; `added`, `moved` and `withdrawn` are corrections by a late or changed
    fact; `same` has not changed. `before` holds the former times of a moved or withdrawn
    crossing.
    """

    change: Literal["new", "added", "moved", "withdrawn", "same"]
    crossing_id: int
    organisation_id: int
    asset_id: int
    geofence_id: int
    version_id: int
    kind: Literal["enter", "exit", "pass", "found", "lost"]
    at: datetime
    not_before: datetime | None
    not_after: datetime
    estimate: datetime | None
    left_estimate: datetime | None
    confirmed_at: datetime
    is_inferred: bool
    is_late: bool
    lon_deg: float
    lat_deg: float
    before: Times | None = None

    def as_occurrence(self) -> OccurrenceChange:
        """Return the change in the form for rules and alerts: a crossing is momentary."""
        return OccurrenceChange(
            change=self.change,
            occurrence=Occurrence(
                kind=self.kind,
                organisation_id=self.organisation_id,
                asset_id=self.asset_id,
                begin_at=self.at,
                end_at=self.at,
                evidence_kind="crossing",
                evidence_id=self.crossing_id,
                geofence_id=self.geofence_id,
                version_id=self.version_id,
                is_late=self.is_late,
            ),
        )
