"""The steps that bring alerts in line with changed occurrences, in plain Python.

The alerts that should exist are compared with the alerts that do, and each difference is a step.
So judging the same occurrences again results in no step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from alerts.changed_alerts import AlertChangeKind
from alerts.conditions import Condition, conditions_met
from core.dated_tags import NEVER_TAGGED, DatedTags
from core.occurrence import EvidenceKind, Occurrence, OccurrenceChange


class StandingAlert(Struct, frozen=True, kw_only=True):
    """An alert that was raised before, withdrawn or not, with its copy of the occurrence."""

    alert_id: int
    rule_id: int
    version_id: int
    evidence: tuple[EvidenceKind, int]
    kind: str
    begin_at: datetime
    end_at: datetime | None
    is_withdrawn: bool


class AlertStep(Struct, frozen=True, kw_only=True):
    """A needed change of an alert. `alert` is None if the step raises it."""

    change: AlertChangeKind
    occurrence: Occurrence
    is_correction: bool
    condition: Condition | None
    alert: StandingAlert | None

    @property
    def previous_at(self) -> datetime | None:
        """The begin in the alert before this step, if the step changes it."""
        if self.change == "amended" and self.alert:
            previous_at = self.alert.begin_at
            return None if previous_at == self.occurrence.begin_at else previous_at
        return None


def newest_changes(changes: Sequence[OccurrenceChange]) -> list[OccurrenceChange]:
    """Return the last change of each occurrence, in the order in which occurrences began."""
    newest = {change.occurrence.evidence: change for change in changes}
    return sorted(
        newest.values(), key=lambda each: (each.occurrence.begin_at, each.occurrence.evidence)
    )


def needed_steps(
    changes: Iterable[OccurrenceChange],
    conditions: Sequence[Condition],
    tags_of_assets: Mapping[int, DatedTags],
    alerts: Iterable[StandingAlert],
) -> list[AlertStep]:
    """Return the steps in the order of `changes`, and for one occurrence in the order of rules."""
    standing: dict[tuple[EvidenceKind, int], dict[int, StandingAlert]] = {}
    for alert in alerts:
        standing.setdefault(alert.evidence, {})[alert.rule_id] = alert
    by_geofence: dict[int | None, list[Condition]] = {}
    for condition in conditions:
        by_geofence.setdefault(condition.geofence_id, []).append(condition)
    steps: list[AlertStep] = []
    for change in changes:
        occurrence = change.occurrence
        candidates = {
            condition.version_id: condition
            for geofence_id in (occurrence.geofence_id, None)
            for condition in by_geofence.get(geofence_id, ())
        }
        tags = tags_of_assets.get(occurrence.asset_id, NEVER_TAGGED)
        is_withdrawn = change.change == "withdrawn"
        met = {} if is_withdrawn else conditions_met(occurrence, candidates.values(), tags)
        steps += _differences(change, met, standing.get(occurrence.evidence, {}))
    return steps


def _differences(
    change: OccurrenceChange,
    met: Mapping[int, Condition],
    standing: Mapping[int, StandingAlert],
) -> Iterator[AlertStep]:
    is_correction = change.change in ("added", "moved")
    for rule_id in sorted(met.keys() | standing.keys()):
        condition, alert = met.get(rule_id), standing.get(rule_id)
        if kind := _change(change.occurrence, condition, alert):
            yield AlertStep(
                change=kind,
                occurrence=change.occurrence,
                is_correction=is_correction,
                condition=condition,
                alert=alert,
            )


def _change(
    occurrence: Occurrence, condition: Condition | None, alert: StandingAlert | None
) -> AlertChangeKind | None:
    if alert is None:
        return "raised" if condition else None
    if condition is None:
        return None if alert.is_withdrawn else "withdrawn"
    if alert.is_withdrawn:
        return "reinstated"
    recorded = (alert.begin_at, alert.kind, alert.version_id)
    if recorded != (occurrence.begin_at, occurrence.kind, condition.version_id):
        return "amended"
    if alert.end_at == occurrence.end_at:
        return None
    # The end of a momentary occurrence moves with its begin, so this occurrence lasts.
    if alert.end_at is None:
        return "resolved"
    return "reopened" if occurrence.end_at is None else "amended"
