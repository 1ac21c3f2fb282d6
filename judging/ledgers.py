"""What a floor hands to the road for each of its folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from core.occurrence import OccurrenceChange
from judging.folds import Fold
from judging.machine import Verdict

# Names what is late or what people changed, of one asset, for those who read a correction.
CauseOf = Callable[[int], dict[str, Any]]
# By the name of what is revised (`geofences`), the revision of each organisation.
RevisionsByName = Mapping[str, Mapping[int, int]]


class Ledger(Protocol):
    """A fold, what it must know of assets, and where its findings are recorded."""

    @property
    def fold(self) -> Fold: ...

    def contexts(self, assets: Mapping[int, int], revisions: RevisionsByName) -> Mapping[int, Any]:
        """Return what the fold must know of each asset, by its id.

        `assets` gives the organisation of each; `revisions` are those that the transaction sees.
        """

    def record(
        self, verdicts: Sequence[Verdict], *, now: datetime, cause_of: CauseOf
    ) -> Sequence[Any]:
        """Write the differences that verdicts make, and return them.

        Runs in the caller's transaction with the assets locked; a constant number of
        statements, none where nothing was found and nothing judged again.
        """

    def occurrences(self, changes: Sequence[Any]) -> Sequence[OccurrenceChange]:
        """Return what `record` returned as rules and alerts see it."""

    def standing(self, asset_id: int, since: datetime) -> Sequence[OccurrenceChange]:
        """Return what stands of an asset since then, as unchanged."""
