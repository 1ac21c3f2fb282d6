"""Which rules an occurrence meets, in plain Python.

`decide` alone decides: live, for late facts, in a trial of a rule over the past, and when
somebody asks why a rule did not alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from alerts.quiet_hours import QuietHours
from core.dated_tags import NEVER_TAGGED, DatedTags
from core.observation import microseconds
from core.occurrence import Occurrence

Trigger = Literal["enter", "exit", "enter_or_exit"]
# What a rule with a trigger looks for: kinds of occurrences. `found` and `lost` are not among
# them: they are edges of our knowledge, and nothing happened then.
KINDS_OF: Final[Mapping[Trigger, frozenset[str]]] = {
    "enter": frozenset({"enter"}),
    "exit": frozenset({"exit"}),
    "enter_or_exit": frozenset({"enter", "exit"}),
}
ALERTING_KINDS: Final = frozenset[str]().union(*KINDS_OF.values())

# Why a condition is not met, as the first of these that holds; `met` where it is.
Decision = Literal[
    "met", "other-organisation", "other-kind", "other-geofence", "not-in-force", "other-asset",
    "quiet-hours",
]  # fmt: skip


class Condition(Struct, frozen=True, kw_only=True):
    """What one version of a rule looks for, and whom it notifies.

    Empty `asset_ids` and `tags` mean every asset of the organisation; otherwise an asset is
    meant if it is listed or carried one of the tags then. Nothing is looked for in quiet hours.
    """

    rule_id: int
    version_id: int
    organisation_id: int
    geofence_id: int | None
    trigger: Trigger
    asset_ids: frozenset[int]
    tags: frozenset[str]
    recipient_ids: tuple[int, ...]
    valid_from: datetime
    valid_to: datetime | None
    quiet: QuietHours | None = None


def decide(
    condition: Condition, occurrence: Occurrence, tags: DatedTags = NEVER_TAGGED
) -> Decision:
    """Return whether an occurrence meets a condition, or why not. `tags` are the asset's.

    Judged by the moment at which it began, so that it does not matter when it is learned.
    """
    if occurrence.organisation_id != condition.organisation_id:
        return "other-organisation"
    if occurrence.kind not in KINDS_OF[condition.trigger]:
        return "other-kind"
    if condition.geofence_id is not None and occurrence.geofence_id != condition.geofence_id:
        return "other-geofence"
    if not _is_in_force(condition, occurrence.begin_at):
        return "not-in-force"
    if not _means(condition, occurrence, tags):
        return "other-asset"
    if condition.quiet and condition.quiet.cover(occurrence.begin_at):
        return "quiet-hours"
    return "met"


def _is_in_force(condition: Condition, at: datetime) -> bool:
    return condition.valid_from <= at and (condition.valid_to is None or at < condition.valid_to)


def _means(condition: Condition, occurrence: Occurrence, tags: DatedTags) -> bool:
    if not condition.asset_ids and not condition.tags:
        return True
    if occurrence.asset_id in condition.asset_ids:
        return True
    return not condition.tags.isdisjoint(tags.at(microseconds(occurrence.begin_at)))


def conditions_met(
    occurrence: Occurrence, conditions: Iterable[Condition], tags: DatedTags
) -> dict[int, Condition]:
    """Return, by rule, the condition that an occurrence meets as it now stands."""
    return {
        condition.rule_id: condition
        for condition in conditions
        if decide(condition, occurrence, tags) == "met"
    }
