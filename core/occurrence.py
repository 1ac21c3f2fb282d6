"""What a fold found, as rules and alerts see it, whichever fold it was."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

EvidenceKind = Literal["crossing", "occurrence"]


class Occurrence(Struct, frozen=True, kw_only=True):
    """Something that an asset did or that befell it, as it now stands.

    `end_at` is None while it lasts; of one that is momentary, such as a crossing, it is
    `begin_at`. `evidence_kind` and `evidence_id` name the row that holds all that is known of it;
    `version_id` is the version of what was judged, such as that of the geofence. `peak` is the
    most extreme value while it lasted and `margin` by how much it was sure, in the unit of what
    was judged.
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
    """How an occurrence came to stand as it does.

    `new` came in order and `grown` goes on in order, such as by ending; `added`, `moved` and
    `withdrawn` are corrections by a late or changed fact. `same` has not changed itself, but
    what rules must know of its asset has. A withdrawn one is as it last stood.
    """

    change: Literal["new", "grown", "added", "moved", "withdrawn", "same"]
    occurrence: Occurrence
