"""The conditions of rules, and the decision whether an occurrence meets one. Plain Python.

`decide` makes every decision: live, for late facts, in a trial of a rule over the past, and in
the explanation why a rule raised no alert.
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

Trigger = Literal["enter", "exit", "enter_or_exit", "pass"]
# The kinds of occurrences that each trigger matches. To pass through is to enter and to leave.
# `found` and `lost` are not among them: then only our knowledge began or ended, and the asset
# crossed nothing.
KINDS_OF: Final[Mapping[Trigger, frozenset[str]]] = {
    "enter": frozenset({"enter", "pass"}),
    "exit": frozenset({"exit", "pass"}),
    "enter_or_exit": frozenset({"enter", "exit", "pass"}),
    "pass": frozenset({"pass"}),
}
ALERTING_KINDS: Final = frozenset[str]().union(*KINDS_OF.values())

# `met`, or the first reason that applies why a condition is not met.
Decision = Literal[
    "met", "other-organisation", "other-kind", "other-geofence", "not-in-force", "other-asset",
    "quiet-hours",
]  # fmt: skip


class Condition(Struct, frozen=True, kw_only=True):
    """The condition of one version of a rule, with the recipients to notify.

    Empty `asset_ids` and `tags` mean every asset of the organisation; otherwise the condition
    concerns an asset that is listed or carried one of the tags then. It is not met in quiet hours.
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
    """Return `met`, or the reason why an occurrence does not meet a condition.

    `tags` are the tags of the asset. Judged at the begin of the occurrence, so that late facts
    lead to the same decision.
    """
    if occurrence.organisation_id != condition.organisation_id:
        return "other-organisation"
    if occurrence.kind not in KINDS_OF[condition.trigger]:
        return "other-kind"
    if condition.geofence_id is not None and occurrence.geofence_id != condition.geofence_id:
        return "other-geofence"
    if not _is_in_force(condition, occurrence.begin_at):
        return "not-in-force"
    if not _concerns_asset(condition, occurrence, tags):
        return "other-asset"
    if condition.quiet and condition.quiet.cover(occurrence.begin_at):
        return "quiet-hours"
    return "met"


def _is_in_force(condition: Condition, at: datetime) -> bool:
    return condition.valid_from <= at and (condition.valid_to is None or at < condition.valid_to)


def _concerns_asset(condition: Condition, occurrence: Occurrence, tags: DatedTags) -> bool:
    if not condition.asset_ids and not condition.tags:
        return True
    if occurrence.asset_id in condition.asset_ids:
        return True
    return not condition.tags.isdisjoint(tags.at(microseconds(occurrence.begin_at)))


def conditions_met(
    occurrence: Occurrence, conditions: Iterable[Condition], tags: DatedTags
) -> dict[int, Condition]:
    """Return, by rule, the condition that an occurrence in its present state meets."""
    return {
        condition.rule_id: condition
        for condition in conditions
        if decide(condition, occurrence, tags) == "met"
    }
