"""Which rules a crossing meets, in plain Python."""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import datetime
from typing import Literal

from msgspec import Struct

from alerts.quiet_hours import QuietHours
from geofence.changes import CrossingChange

Trigger = Literal["enter", "exit", "enter_or_exit"]


class Condition(Struct, frozen=True, kw_only=True):
    """What one version of a rule looks for, and whom it tells.

    Empty `asset_ids` and `tags` mean every asset of the organisation; otherwise an asset is
    meant if it is listed or carries one of the tags. Nothing is looked for in quiet hours.
    """

    rule_id: int
    version_id: int
    organisation_id: int
    geofence_id: int
    trigger: Trigger
    asset_ids: frozenset[int]
    tags: frozenset[str]
    recipient_ids: tuple[int, ...]
    valid_from: datetime
    valid_to: datetime | None
    quiet: QuietHours | None = None

    def holds_for(self, crossing: CrossingChange, tags: Set[str]) -> bool:
        """Whether a crossing by an asset with `tags` meets this, were it never withdrawn."""
        return (
            crossing.organisation_id == self.organisation_id
            and crossing.geofence_id == self.geofence_id
            and self._looks_for(crossing.kind)
            and self._held(crossing.at)
            and self._means(crossing.asset_id, tags)
            and not (self.quiet and self.quiet.cover(crossing.at))
        )

    def _looks_for(self, kind: str) -> bool:
        return kind == self.trigger or (
            self.trigger == "enter_or_exit" and kind in ("enter", "exit")
        )

    def _held(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def _means(self, asset_id: int, tags: Set[str]) -> bool:
        means_all = not self.asset_ids and not self.tags
        return means_all or asset_id in self.asset_ids or not self.tags.isdisjoint(tags)


def conditions_met(
    crossing: CrossingChange, conditions: Iterable[Condition], tags: Set[str]
) -> dict[int, Condition]:
    """Return, by rule, the condition that the crossing meets as it now stands.

    A withdrawn crossing meets none. `found` and `lost` meet none either: they are edges of
    our knowledge, and nothing happened then.
    """
    if crossing.change == "withdrawn":
        return {}
    return {
        condition.rule_id: condition
        for condition in conditions
        if condition.holds_for(crossing, tags)
    }
