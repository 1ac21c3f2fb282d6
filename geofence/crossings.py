"""The fold that finds crossings: the fixes of an asset, in order, against zones.

Pure: state in, state and crossings out. The rules are in `docs/geofences.md`. The state holds
only zones that the asset is inside of, unsure about or changing side of; of every other zone it
is outside, and was last surely outside at the newest fix that is accurate enough for the zone.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from itertools import chain
from typing import Any

import msgspec

from core.fact_order import FactKey
from core.judged_fact import DecidingFix, JudgedFact
from geofence.crossing_state import (
    UNKNOWN,
    CrossingContext,
    CrossingState,
    FoundCrossing,
    LinkedAsset,
    RememberedZone,
    in_order,
)
from geofence.segments import passing_times_us
from geofence.zone import Zone
from geofence.zone_index import INSIDE, OUTSIDE, UNSURE, Contact, ZoneIndex, columns_of
from judging.folds import FactFold, States

_NO_CONTACTS: list[Contact] = []


class CrossingFold(FactFold):
    """The fold of crossings."""

    name = "crossings"
    state_type = CrossingState

    def look_ups(
        self, runs: Sequence[tuple[CrossingContext, Sequence[JudgedFact]]]
    ) -> list[Sequence[list[Contact]]]:
        """Return the contacts of each fact of each run; each index is asked once."""
        by_index: dict[int, list[int]] = {}
        for number, (context, _) in enumerate(runs):
            by_index.setdefault(id(context.index), []).append(number)
        contacts: list[Sequence[list[Contact]]] = [()] * len(runs)
        for numbers in by_index.values():
            index = runs[numbers[0]][0].index
            for number, found in zip(
                numbers, _contacts(index, [runs[n][1] for n in numbers]), strict=True
            ):
                contacts[number] = found
        return contacts

    def step(
        self,
        state: CrossingState,
        fact: JudgedFact,
        looked_up: Sequence[Contact],
        context: CrossingContext,
        states: States,
        findings: MutableSequence[FoundCrossing],
    ) -> None:
        fix, index = fact.fix, context.index
        if fix is None:
            return
        if looked_up or state.zones or index.max_gap_us >= 0:
            _FixJudging(state, fix, fact.key, context, findings).judge_all(looked_up)
        # Far from every zone, as most fixes are, only this is left to do.
        _remember(state, fix, index.accuracy_limits_m)


def _contacts(index: ZoneIndex, runs: Sequence[Sequence[JudgedFact]]) -> list[list[list[Contact]]]:
    fixes = [fact.fix for fact in chain.from_iterable(runs) if fact.fix is not None]
    met = iter(index.contacts(columns_of(fixes)))
    return [
        [next(met) if fact.fix is not None else _NO_CONTACTS for fact in facts] for facts in runs
    ]


class _FixJudging:
    """Judges a fix of an asset against the zones that it meets and the remembered zones."""

    __slots__ = ("_asset", "_findings", "_fix", "_index", "_key", "_state")

    def __init__(
        self,
        state: CrossingState,
        fix: DecidingFix,
        key: FactKey,
        context: CrossingContext,
        findings: MutableSequence[FoundCrossing],
    ) -> None:
        self._state = state
        self._fix = fix
        self._key = key
        self._index = context.index
        self._asset = context.asset
        self._findings = findings

    def judge_all(self, met: Sequence[Contact]) -> None:
        zones = self._state.zones
        contacts = {
            contact.zone.geofence_id: contact for contact in met if self._is_judged_by(contact.zone)
        }
        for geofence_id in [*zones]:
            if geofence_id not in contacts:
                self._revisit(geofence_id, contacts)
        if self._index.max_gap_us >= 0:
            self._add_passed_zones(contacts)
        for geofence_id in sorted(contacts):
            contact = contacts[geofence_id]
            former = zones.get(geofence_id) or self._plainly_outside(contact.zone)
            present = self._judge(former, contact)
            if _is_plainly_outside(present, self._fix):
                zones.pop(geofence_id, None)
            else:
                zones[geofence_id] = present

    def _is_judged_by(self, zone: Zone) -> bool:
        return self._asset.is_judged_by(zone, self._fix.at_us)

    def _revisit(self, geofence_id: int, contacts: dict[int, Contact]) -> None:
        """Add a contact outside of a remembered zone; forget a zone that does not hold any more."""
        zone = self._index.zone_at(geofence_id, self._fix.at_us)
        if zone is None or not self._is_judged_by(zone):
            remembered = self._state.zones.pop(geofence_id)
            if remembered.is_inside:
                self._add_lost(geofence_id, remembered)
            return
        side = UNSURE if self._fix.accuracy_m > zone.max_accuracy_m else OUTSIDE
        contacts[geofence_id] = Contact(zone, side)

    def _add_passed_zones(self, contacts: dict[int, Contact]) -> None:
        """Add contacts of zones on the way from earlier fixes, with this fix outside of them."""
        fix = self._fix
        for former in self._state.recent:
            if fix.at_us - former.at_us > self._index.max_gap_us:
                continue
            for zone in self._index.passed(former.lonlat_deg, fix.lonlat_deg):
                holds = zone.valid_from_us <= fix.at_us < zone.valid_to_us
                is_sure = fix.accuracy_m <= zone.max_accuracy_m
                is_new = zone.geofence_id not in contacts
                if holds and is_sure and is_new and self._is_judged_by(zone):
                    contacts[zone.geofence_id] = Contact(zone, OUTSIDE)

    def _plainly_outside(self, zone: Zone) -> RememberedZone:
        """Return the state of a zone that is not remembered: outside at the newest sure fix.

        The side of that fix is computed again, since it may have been judged by a former version,
        or before the zone was drawn for the past: an asset that was inside has not crossed.
        """
        unknown = RememberedZone(zone.version_id, UNKNOWN)
        for fix in reversed(self._state.recent):
            if fix.accuracy_m > zone.max_accuracy_m:
                continue
            is_outside = (
                self._was_judged_at(zone, fix) and self._index.side_of(zone, fix) == OUTSIDE
            )
            return RememberedZone(zone.version_id, OUTSIDE, fix) if is_outside else unknown
        return unknown

    def _was_judged_at(self, zone: Zone, fix: DecidingFix) -> bool:
        """Return whether the zone was judged at `fix`; a former version counts at the newest."""
        if fix.at_us >= zone.valid_from_us:
            return self._asset.is_judged_by(zone, fix.at_us)
        former = self._index.zone_at(zone.geofence_id, fix.at_us)
        # Only the newest: the other remembered fixes depend on limits that were set later.
        is_newest = fix is self._state.recent[-1]
        return is_newest and former is not None and self._asset.is_judged_by(former, fix.at_us)

    def _judge(self, former: RememberedZone, contact: Contact) -> RememberedZone:
        """Return the zone after this fix; add a crossing if the fix confirms it."""
        zone, side = contact.zone, contact.side
        if former.version_id != zone.version_id:
            former = self._under_new_version(former, zone)
        if side == UNSURE:
            return former
        if former.side == UNKNOWN:
            return self._set_baseline(former, contact)
        if side != former.side:
            return self._judge_other_side(former, zone)
        if side == OUTSIDE and former.candidate is None and zone.judges_pass_through:
            self._add_passing(former, zone)
        return msgspec.structs.replace(former, last=self._fix, candidate=None, count=0)

    def _under_new_version(self, former: RememberedZone, zone: Zone) -> RememberedZone:
        """Return the zone under a new version.

        Its side stays known if the last sure fix is on the same side of the new shape. Otherwise
        the shape has moved, not the asset: the side is unknown, and `was_inside` is kept.
        """
        if former.last is not None and self._index.side_of(zone, former.last) == former.side:
            return RememberedZone(zone.version_id, former.side, former.last)
        return RememberedZone(zone.version_id, UNKNOWN, was_inside=former.is_inside)

    def _set_baseline(self, former: RememberedZone, contact: Contact) -> RememberedZone:
        """Set the side by the first sure fix, without a crossing."""
        zone, fix = contact.zone, self._fix
        if contact.side == OUTSIDE:
            if former.was_inside:
                self._add_lost(zone.geofence_id, former)
            return RememberedZone(zone.version_id, OUTSIDE, fix)
        if not former.was_inside:
            self._add_finding("found", zone, fix, not_before_us=None)
        return RememberedZone(zone.version_id, INSIDE, fix)

    def _judge_other_side(self, former: RememberedZone, zone: Zone) -> RememberedZone:
        """Take a sure fix on the other side as a candidate, or as its confirmation."""
        candidate, count = former.candidate or self._fix, former.count + 1
        held_us = self._fix.at_us - candidate.at_us
        if count < zone.persist_fixes or held_us < zone.persist_us:
            return msgspec.structs.replace(former, candidate=candidate, count=count)
        last = former.last
        assert last is not None, "a known side has a sure fix"
        is_entry = former.side == OUTSIDE
        self._add_finding(
            "enter" if is_entry else "exit",
            zone,
            candidate,
            not_before_us=last.at_us,
            estimate_us=self._index.crossing_time_us(zone, last, candidate, is_entry=is_entry),
        )
        return RememberedZone(zone.version_id, INSIDE if is_entry else OUTSIDE, self._fix)

    def _add_passing(self, former: RememberedZone, zone: Zone) -> None:
        """Add a passing if the straight way between two sure fixes outside cuts the zone."""
        last, fix = former.last, self._fix
        if last is None or fix.at_us - last.at_us > zone.max_gap_us:
            return
        times = passing_times_us(last, fix, zone)
        if times is not None:
            self._add_finding(
                "pass",
                zone,
                fix,
                not_before_us=last.at_us,
                estimate_us=times[0],
                left_estimate_us=times[1],
                is_inferred=True,
            )

    def _add_lost(self, geofence_id: int, former: RememberedZone) -> None:
        fix = self._fix
        self._findings.append(
            FoundCrossing(
                geofence_id=geofence_id,
                version_id=former.version_id,
                kind="lost",
                at_us=fix.at_us,
                not_before_us=former.last.at_us if former.last else None,
                not_after_us=fix.at_us,
                confirmed=self._key,
                lon_deg=fix.lon_deg,
                lat_deg=fix.lat_deg,
            )
        )

    def _add_finding(
        self, kind: Any, zone: Zone, fix: DecidingFix, *, not_before_us: int | None, **more: Any
    ) -> None:
        """Add a crossing at `fix` that became sure at the judged fact."""
        self._findings.append(
            FoundCrossing(
                geofence_id=zone.geofence_id,
                version_id=zone.version_id,
                kind=kind,
                at_us=fix.at_us,
                not_before_us=not_before_us,
                not_after_us=fix.at_us,
                confirmed=self._key,
                lon_deg=fix.lon_deg,
                lat_deg=fix.lat_deg,
                **more,
            )
        )


def _is_plainly_outside(zone: RememberedZone, fix: DecidingFix) -> bool:
    return zone.side == OUTSIDE and zone.candidate is None and zone.last == fix


def _remember(state: CrossingState, fix: DecidingFix, accuracy_limits_m: Sequence[float]) -> None:
    if not accuracy_limits_m or fix.accuracy_m <= accuracy_limits_m[0]:
        state.recent = (fix,)
        return
    newest = {fix}
    for limit_m in accuracy_limits_m:
        admitted = (old for old in reversed(state.recent) if old.accuracy_m <= limit_m)
        if limit_m < fix.accuracy_m and (old := next(admitted, None)):
            newest.add(old)
    state.recent = tuple(in_order(newest))


def find_crossings(
    state: CrossingState,
    fixes: Sequence[DecidingFix],
    index: ZoneIndex,
    asset: LinkedAsset = LinkedAsset(),  # noqa: B008
) -> list[FoundCrossing]:
    """Move `state` over the fixes of a track, which are in order; return the findings."""
    fold, context = CrossingFold(), CrossingContext(index, asset)
    facts = [JudgedFact(FactKey(fix.at_us, fix.at_us, fix.device_id, 0), fix) for fix in fixes]
    findings: list[FoundCrossing] = []
    (contacts,) = fold.look_ups([(context, facts)])
    for fact, met in zip(facts, contacts, strict=True):
        fold.step(state, fact, met, context, {}, findings)
    return findings
