"""What the crossings as they now stand mean for the alerts there are, in plain Python.

Declarative, so that judging twice makes nothing new: what should stand is compared with what
does, and only the difference is a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from alerts.changes import ChangeKind
from alerts.conditions import Condition, conditions_met
from geofence.changes import CrossingChange


class StandingAlert(Struct, frozen=True, kw_only=True):
    """An alert that was raised before, withdrawn or not."""

    alert_id: int
    rule_id: int
    version_id: int
    crossing_id: int
    kind: str
    at: datetime
    is_withdrawn: bool


class Step(Struct, frozen=True, kw_only=True):
    """One change of one alert that is owed. A raised one has no `alert` yet."""

    change: ChangeKind
    crossing: CrossingChange
    condition: Condition | None
    alert: StandingAlert | None

    @property
    def was_at(self) -> datetime | None:
        """When the alert said that the asset crossed, if this step changes it."""
        if self.change == "amended" and self.alert and self.alert.at != self.crossing.at:
            return self.alert.at
        return None


def last_words(changes: Sequence[CrossingChange]) -> list[CrossingChange]:
    """Return the last change of each crossing, in order of when the assets crossed."""
    last = {change.crossing_id: change for change in changes}
    return sorted(last.values(), key=lambda change: (change.at, change.crossing_id))


def steps_owed(
    crossings: Iterable[CrossingChange],
    conditions: Sequence[Condition],
    tags_of_assets: Mapping[int, frozenset[str]],
    alerts: Iterable[StandingAlert],
) -> list[Step]:
    """Return the steps in the order of `crossings`, those of one crossing by rule."""
    by_crossing: dict[int, dict[int, StandingAlert]] = {}
    for alert in alerts:
        by_crossing.setdefault(alert.crossing_id, {})[alert.rule_id] = alert
    by_geofence: dict[int, list[Condition]] = {}
    for condition in conditions:
        by_geofence.setdefault(condition.geofence_id, []).append(condition)
    steps: list[Step] = []
    for crossing in crossings:
        rivals = by_geofence.get(crossing.geofence_id, ())
        tags = tags_of_assets.get(crossing.asset_id, frozenset())
        met = conditions_met(crossing, rivals, tags)
        steps += _differences(crossing, met, by_crossing.get(crossing.crossing_id, {}))
    return steps


def _differences(
    crossing: CrossingChange,
    met: Mapping[int, Condition],
    standing: Mapping[int, StandingAlert],
) -> Iterator[Step]:
    for rule_id in sorted(met.keys() | standing.keys()):
        condition, alert = met.get(rule_id), standing.get(rule_id)
        if change := _change(crossing, condition, alert):
            yield Step(change=change, crossing=crossing, condition=condition, alert=alert)


def _change(
    crossing: CrossingChange, condition: Condition | None, alert: StandingAlert | None
) -> ChangeKind | None:
    if alert is None:
        return "raised" if condition else None
    if condition is None:
        return None if alert.is_withdrawn else "withdrawn"
    if alert.is_withdrawn:
        return "reinstated"
    said = (alert.at, alert.kind, alert.version_id)
    return None if said == (crossing.at, crossing.kind, condition.version_id) else "amended"
