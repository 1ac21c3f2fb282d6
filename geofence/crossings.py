"""The fold that finds crossings: one asset's fixes in order, against the zones it meets.

Pure: state in, state and crossings out. A zone is remembered only while there is
something to remember; of every other zone the asset is plainly outside, and was last
surely so at the newest fix that the zone admits. The rules are those of
`docs/geofences.md`.
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
    Near,
    bytes_of_state,
    crossing_state_of,
    in_order,
)
from geofence.segments import passing_times_us
from geofence.zone import Zone
from geofence.zone_index import INSIDE, OUTSIDE, UNSURE, Contact, ZoneIndex, columns_of
from judging.folds import FactFold, States

_NO_CONTACTS: list[Contact] = []


class CrossingFold(FactFold):
    """Crossings as the machine for late facts runs them."""

    name = "crossings"

    def state_of(self, data: bytes) -> CrossingState:
        return crossing_state_of(data)

    def bytes_of(self, state: CrossingState) -> bytes:
        return bytes_of_state(state)

    def look_ups(
        self, runs: Sequence[tuple[CrossingContext, Sequence[JudgedFact]]]
    ) -> list[Sequence[list[Contact]]]:
        """Return the contacts of each fact of each run, asking each index once."""
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
        if looked_up or state.near or index.max_gap_us >= 0:
            _Step(state, fix, fact.key, context, findings).take(looked_up)
        # Far from every zone, as nearly always, there is only this to do.
        _remember(state, fix, index.accuracy_limits_m)


def _contacts(index: ZoneIndex, runs: Sequence[Sequence[JudgedFact]]) -> list[list[list[Contact]]]:
    fixes = [fact.fix for fact in chain.from_iterable(runs) if fact.fix is not None]
    met = iter(index.contacts(columns_of(fixes)))
    return [
        [next(met) if fact.fix is not None else _NO_CONTACTS for fact in facts] for facts in runs
    ]


class _Step:
    """One fix of an asset, judged against the zones that it meets or that are remembered."""

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

    def take(self, met: Sequence[Contact]) -> None:
        near_zones = self._state.near
        contacts = {
            contact.zone.geofence_id: contact for contact in met if self._is_judged_by(contact.zone)
        }
        for geofence_id in [*near_zones]:
            if geofence_id not in contacts:
                self._revisit(geofence_id, contacts)
        if self._index.max_gap_us >= 0:
            self._look_between(contacts)
        for geofence_id in sorted(contacts):
            contact = contacts[geofence_id]
            near = near_zones.get(geofence_id) or self._plainly_outside(contact.zone)
            near = self._moved_on(near, contact)
            if _is_plain(near, self._fix):
                near_zones.pop(geofence_id, None)
            else:
                near_zones[geofence_id] = near

    def _is_judged_by(self, zone: Zone) -> bool:
        return self._asset.is_judged_by(zone, self._fix.at_us)

    def _revisit(self, geofence_id: int, contacts: dict[int, Contact]) -> None:
        """A remembered zone that the fix is not close to: outside of it, or the zone has ended."""
        zone = self._index.zone_at(geofence_id, self._fix.at_us)
        if zone is None or not self._is_judged_by(zone):
            near = self._state.near.pop(geofence_id)
            if near.is_inside:
                self._find_lost(geofence_id, near)
            return
        side = UNSURE if self._fix.accuracy_m > zone.max_accuracy_m else OUTSIDE
        contacts[geofence_id] = Contact(zone, side)

    def _look_between(self, contacts: dict[int, Contact]) -> None:
        """Add zones that are plainly outside now and before, but lie on the way."""
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

    def _plainly_outside(self, zone: Zone) -> Near:
        """What an unremembered zone stands for: outside at the newest fix that it admits.

        Looked at once more, since that fix was judged by a former version, or before the zone
        was drawn for the past: who was inside already has not crossed.
        """
        unknown = Near(zone.version_id, UNKNOWN)
        for fix in reversed(self._state.recent):
            if fix.accuracy_m > zone.max_accuracy_m:
                continue
            is_outside = self._held(zone, fix) and self._index.side_of(zone, fix) == OUTSIDE
            return Near(zone.version_id, OUTSIDE, fix) if is_outside else unknown
        return unknown

    def _held(self, zone: Zone, fix: DecidingFix) -> bool:
        """Whether the zone, or at the newest fix a former version of it, was judged at `fix`."""
        if fix.at_us >= zone.valid_from_us:
            return self._asset.is_judged_by(zone, fix.at_us)
        former = self._index.zone_at(zone.geofence_id, fix.at_us)
        # Only the newest: which others are remembered depends on limits that came later.
        is_newest = fix is self._state.recent[-1]
        return is_newest and former is not None and self._asset.is_judged_by(former, fix.at_us)

    def _moved_on(self, near: Near, contact: Contact) -> Near:
        zone, side = contact.zone, contact.side
        if near.version_id != zone.version_id:
            near = self._under_new_version(near, zone)
        if side == UNSURE:
            return near
        if near.side == UNKNOWN:
            return self._baseline(near, contact)
        if side != near.side:
            return self._challenged(near, zone)
        if side == OUTSIDE and near.candidate is None and zone.judges_pass_through:
            self._find_passing(near, zone)
        return msgspec.structs.replace(near, last=self._fix, candidate=None, count=0)

    def _under_new_version(self, near: Near, zone: Zone) -> Near:
        """What stays known: the side, if the last sure fix is on that side of the new shape, too.

        Otherwise the shape has moved, and not the asset; being inside is remembered.
        """
        if near.last is not None and self._index.side_of(zone, near.last) == near.side:
            return Near(zone.version_id, near.side, near.last)
        return Near(zone.version_id, UNKNOWN, was_inside=near.is_inside)

    def _baseline(self, near: Near, contact: Contact) -> Near:
        """The first sure fix sets the side without a crossing."""
        zone, fix = contact.zone, self._fix
        if contact.side == OUTSIDE:
            if near.was_inside:
                self._find_lost(zone.geofence_id, near)
            return Near(zone.version_id, OUTSIDE, fix)
        if not near.was_inside:
            self._find("found", zone, fix, not_before_us=None)
        return Near(zone.version_id, INSIDE, fix)

    def _challenged(self, near: Near, zone: Zone) -> Near:
        """A sure fix on the other side: a candidate, or the fix that confirms it."""
        candidate, count = near.candidate or self._fix, near.count + 1
        held_us = self._fix.at_us - candidate.at_us
        if count < zone.persist_fixes or held_us < zone.persist_us:
            return msgspec.structs.replace(near, candidate=candidate, count=count)
        assert near.last is not None, "a known side has a sure fix"
        is_entry = near.side == OUTSIDE
        self._find(
            "enter" if is_entry else "exit",
            zone,
            candidate,
            not_before_us=near.last.at_us,
            estimate_us=self._index.crossing_time_us(zone, near.last, candidate, is_entry=is_entry),
        )
        return Near(zone.version_id, INSIDE if is_entry else OUTSIDE, self._fix)

    def _find_passing(self, near: Near, zone: Zone) -> None:
        """Two sure fixes outside whose straight way cuts the zone."""
        last, fix = near.last, self._fix
        if last is None or fix.at_us - last.at_us > zone.max_gap_us:
            return
        times = passing_times_us(last, fix, zone)
        if times is not None:
            self._find(
                "pass",
                zone,
                fix,
                not_before_us=last.at_us,
                estimate_us=times[0],
                left_estimate_us=times[1],
                is_inferred=True,
            )

    def _find_lost(self, geofence_id: int, near: Near) -> None:
        fix = self._fix
        self._findings.append(
            FoundCrossing(
                geofence_id=geofence_id,
                version_id=near.version_id,
                kind="lost",
                at_us=fix.at_us,
                not_before_us=near.last.at_us if near.last else None,
                not_after_us=fix.at_us,
                confirmed=self._key,
                lon_deg=fix.lon_deg,
                lat_deg=fix.lat_deg,
            )
        )

    def _find(
        self, kind: Any, zone: Zone, fix: DecidingFix, *, not_before_us: int | None, **more: Any
    ) -> None:
        """Append a crossing at `fix` that this step's fact makes sure."""
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


def _is_plain(near: Near, fix: DecidingFix) -> bool:
    return near.side == OUTSIDE and near.candidate is None and near.last == fix


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
    """Move `state` over the fixes of one track, which are in order; return what was found."""
    fold, context = CrossingFold(), CrossingContext(index, asset)
    facts = [JudgedFact(FactKey(fix.at_us, fix.at_us, fix.device_id, 0), fix) for fix in fixes]
    findings: list[FoundCrossing] = []
    (contacts,) = fold.look_ups([(context, facts)])
    for fact, met in zip(facts, contacts, strict=True):
        fold.step(state, fact, met, context, {}, findings)
    return findings
