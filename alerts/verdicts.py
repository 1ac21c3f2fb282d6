"""What occurrences as they now stand mean for the alerts there are, in plain Python.

Declarative, so that judging twice makes nothing new: what should stand is compared with what
does, and only the difference is a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from alerts.changes import ChangeKind
from alerts.conditions import Condition, conditions_met
from core.dated_tags import NEVER_TAGGED, DatedTags
from core.occurrence import EvidenceKind, Occurrence, OccurrenceChange


class StandingAlert(Struct, frozen=True, kw_only=True):
    """An alert that was raised before, withdrawn or not, with what it says of its occurrence."""

    alert_id: int
    rule_id: int
    version_id: int
    evidence: tuple[EvidenceKind, int]
    kind: str
    begin_at: datetime
    end_at: datetime | None
    is_withdrawn: bool


class AlertStep(Struct, frozen=True, kw_only=True):
    """One change of one alert that is owed. A raised one has no `alert` yet."""

    change: ChangeKind
    occurrence: Occurrence
    is_correction: bool
    condition: Condition | None
    alert: StandingAlert | None

    @property
    def was_at(self) -> datetime | None:
        """When the alert said that it began, if this step changes it."""
        if self.change == "amended" and self.alert:
            was_at = self.alert.begin_at
            return None if was_at == self.occurrence.begin_at else was_at
        return None


def newest_changes(changes: Sequence[OccurrenceChange]) -> list[OccurrenceChange]:
    """Return the last change of each occurrence, in order of when they began."""
    newest = {change.occurrence.evidence: change for change in changes}
    return sorted(
        newest.values(), key=lambda each: (each.occurrence.begin_at, each.occurrence.evidence)
    )


def steps_owed(
    changes: Iterable[OccurrenceChange],
    conditions: Sequence[Condition],
    tags_of_assets: Mapping[int, DatedTags],
    alerts: Iterable[StandingAlert],
) -> list[AlertStep]:
    """Return the steps in the order of `changes`, those of one occurrence by rule."""
    standing: dict[tuple[EvidenceKind, int], dict[int, StandingAlert]] = {}
    for alert in alerts:
        standing.setdefault(alert.evidence, {})[alert.rule_id] = alert
    by_geofence: dict[int | None, list[Condition]] = {}
    for condition in conditions:
        by_geofence.setdefault(condition.geofence_id, []).append(condition)
    steps: list[AlertStep] = []
    for change in changes:
        occurrence = change.occurrence
        rivals = {
            condition.version_id: condition
            for geofence_id in (occurrence.geofence_id, None)
            for condition in by_geofence.get(geofence_id, ())
        }
        tags = tags_of_assets.get(occurrence.asset_id, NEVER_TAGGED)
        is_gone = change.change == "withdrawn"
        met = {} if is_gone else conditions_met(occurrence, rivals.values(), tags)
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
) -> ChangeKind | None:
    if alert is None:
        return "raised" if condition else None
    if condition is None:
        return None if alert.is_withdrawn else "withdrawn"
    if alert.is_withdrawn:
        return "reinstated"
    said = (alert.begin_at, alert.kind, alert.version_id)
    if said != (occurrence.begin_at, occurrence.kind, condition.version_id):
        return "amended"
    if alert.end_at == occurrence.end_at:
        return None
    # Of what is momentary the end moves with the beginning, so this one lasts.
    if alert.end_at is None:
        return "resolved"
    return "reopened" if occurrence.end_at is None else "amended"
