"""The interface of a ledger, which a floor gives to the road for each of its folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from core.occurrence import OccurrenceChange
from judging.folds import Fold
from judging.machine import AssetVerdict

# Returns the cause of an asset's corrections, by asset id: the late or changed facts, as JSON.
CauseOf = Callable[[int], dict[str, Any]]
# The revision of each organisation, by the name of the revised rows (`geofences`).
RevisionsByName = Mapping[str, Mapping[int, int]]


class Ledger(Protocol):
    """A fold, its contexts of assets, and the table in which its findings are recorded."""

    @property
    def fold(self) -> Fold: ...

    def contexts(self, assets: Mapping[int, int], revisions: RevisionsByName) -> Mapping[int, Any]:
        """Return the context that the fold needs of each asset, by asset id.

        `assets` maps each asset to its organisation; `revisions` are as the transaction sees
        them.
        """

    def record(
        self, verdicts: Sequence[AssetVerdict], *, now: datetime, cause_of: CauseOf
    ) -> Sequence[Any]:
        """Write the differences that verdicts make, and return them.

        Runs in the caller's transaction with the assets locked; a constant number of
        statements, none where nothing was found and nothing judged again.
        """

    def occurrences(self, changes: Sequence[Any]) -> Sequence[OccurrenceChange]:
        """Return the changes that `record` returned in the form for rules and alerts."""

    def standing(self, asset_id: int, since: datetime) -> Sequence[OccurrenceChange]:
        """Return the standing occurrences of an asset since then, as unchanged."""
