"""Occurrences: the findings of all folds in one form, for rules and alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

EvidenceKind = Literal["crossing", "occurrence"]


class Occurrence(Struct, frozen=True, kw_only=True):
    """An occurrence of an asset, as it now stands: a crossing, a stop, a condition.

    `end_at` is None while it lasts; for a momentary occurrence, such as a crossing, it equals
    `begin_at`. `evidence_kind` and `evidence_id` name the row that holds all details;
    `version_id` is the version of the geofence or of another judged object. `peak` is the most
    extreme value while it lasted and `margin` the distance to the limit, in the unit of the
    judged value.
    """

    kind: str
    organisation_id: int
    asset_id: int
    begin_at: datetime
    end_at: datetime | None
    evidence_kind: EvidenceKind
    evidence_id: int
    geofence_id: int | None = None
    version_id: int | None = None
    peak: float | None = None
    margin: float | None = None
    is_late: bool = False

    @property
    def evidence(self) -> tuple[EvidenceKind, int]:
        return self.evidence_kind, self.evidence_id


class OccurrenceChange(Struct, frozen=True, kw_only=True):
    """A change of an occurrence, and the occurrence after it.

    `new` came in order and `grown` continued in order, such as by ending; `added`, `moved` and
    `withdrawn` are corrections by a late or changed fact. `same` has not changed itself, but the
    tags of its asset have, so rules must look again. A withdrawn occurrence is as it last stood.
    """

    change: Literal["new", "grown", "added", "moved", "withdrawn", "same"]
    occurrence: Occurrence
