"""The fold that finds crossings: one asset's fixes in order, against the zones it meets.

Pure: state in, state and crossings out. A zone is remembered only while there is
something to remember; of every other zone the asset is plainly outside, and was last
surely so at the newest fix that the zone admits. The rules are those of
`docs/geofences.md`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from geofence.fold import (
    UNKNOWN,
    Fold,
    Found,
    Kind,
    Mark,
    Near,
    Scope,
    bytes_of,
    fold_of,
    in_order,
)
from geofence.segments import passing_times_us
from geofence.zone import Zone
from geofence.zone_index import INSIDE, OUTSIDE, UNSURE, Contact, ZoneIndex, columns_of

__all__ = [
    "UNKNOWN",
    "Fold",
    "Found",
    "Kind",
    "Mark",
    "Near",
    "Scope",
    "bytes_of",
    "fold_of",
    "in_order",
    "judge",
    "judge_all",
]


def judge(
    fold: Fold,
    fixes: Sequence[Mark],
    contacts: Sequence[Sequence[Contact]],
    index: ZoneIndex,
    scope: Scope,
) -> list[Found]:
    """Move `fold` over `fixes`, which are in order and after all that it holds.

    `contacts` are those that `index` gives for the same fixes. Returns what was found, in
    the order in which it became sure.
    """
    found: list[Found] = []
    for mark, met in zip(fixes, contacts, strict=True):
        if met or fold.near or index.max_gap_us >= 0:
            _step(fold, mark, met, index, scope, found)
        # Far from every zone, as nearly always, there is only this to do.
        _remember(fold, mark, index.accuracy_limits_m)
    return found


def _step(
    fold: Fold,
    mark: Mark,
    met: Sequence[Contact],
    index: ZoneIndex,
    scope: Scope,
    found: list[Found],
) -> None:
    contacts = {contact.zone.geofence_id: contact for contact in met if scope.admits(contact.zone)}
    for geofence_id in [*fold.near]:
        if geofence_id not in contacts:
            _revisit(fold, geofence_id, mark, index, scope, contacts, found)
    if index.max_gap_us >= 0:
        _look_between(fold, mark, index, scope, contacts)
    for geofence_id in sorted(contacts):
        contact = contacts[geofence_id]
        near = fold.near.get(geofence_id) or _plainly_outside(fold, contact.zone, index, scope)
        near = _moved_on(near, mark, contact, index, found)
        if _is_plain(near, mark):
            fold.near.pop(geofence_id, None)
        else:
            fold.near[geofence_id] = near


def _revisit(
    fold: Fold,
    geofence_id: int,
    mark: Mark,
    index: ZoneIndex,
    scope: Scope,
    contacts: dict[int, Contact],
    found: list[Found],
) -> None:
    """A remembered zone that the fix is not close to: outside of it, or the zone has ended."""
    zone = index.zone_at(geofence_id, mark.at_us)
    if zone is None or not scope.admits(zone):
        near = fold.near.pop(geofence_id)
        if near.is_inside:
            found.append(_lost(geofence_id, near, mark))
        return
    side = UNSURE if mark.accuracy_m > zone.max_accuracy_m else OUTSIDE
    contacts[geofence_id] = Contact(zone, side)


def _look_between(
    fold: Fold, mark: Mark, index: ZoneIndex, scope: Scope, contacts: dict[int, Contact]
) -> None:
    """Add zones that are plainly outside now and before, but lie on the way."""
    for former in fold.recent:
        if mark.at_us - former.at_us > index.max_gap_us:
            continue
        for zone in index.passed(former.lonlat_deg, mark.lonlat_deg):
            holds = zone.valid_from_us <= mark.at_us < zone.valid_to_us
            is_sure = mark.accuracy_m <= zone.max_accuracy_m
            if holds and is_sure and zone.geofence_id not in contacts and scope.admits(zone):
                contacts[zone.geofence_id] = Contact(zone, OUTSIDE)


def _plainly_outside(fold: Fold, zone: Zone, index: ZoneIndex, scope: Scope) -> Near:
    """What an unremembered zone stands for: outside at the newest fix that it admits.

    Looked at once more, since that fix was judged by a former version, or before the zone
    was drawn for the past: who was inside already has not crossed.
    """
    unknown = Near(zone.version_id, UNKNOWN)
    for mark in reversed(fold.recent):
        if mark.accuracy_m > zone.max_accuracy_m:
            continue
        is_outside = _held(zone, mark, fold, index, scope) and _is_outside(zone, mark, index)
        return Near(zone.version_id, OUTSIDE, mark) if is_outside else unknown
    return unknown


def _held(zone: Zone, mark: Mark, fold: Fold, index: ZoneIndex, scope: Scope) -> bool:
    """Whether the zone, or at the newest fix a former version of it, was judged at `mark`."""
    if mark.at_us >= zone.valid_from_us:
        return True
    former = index.zone_at(zone.geofence_id, mark.at_us)
    # Only the newest: which others are remembered depends on limits that came later.
    return mark is fold.recent[-1] and former is not None and scope.admits(former)


def _is_outside(zone: Zone, mark: Mark, index: ZoneIndex) -> bool:
    return index.side_of(zone, mark) == OUTSIDE


def _is_plain(near: Near, mark: Mark) -> bool:
    return near.side == OUTSIDE and near.candidate is None and near.last == mark


def _moved_on(
    near: Near, mark: Mark, contact: Contact, index: ZoneIndex, found: list[Found]
) -> Near:
    zone, side = contact.zone, contact.side
    if near.version_id != zone.version_id:
        near = _under_new_version(near, zone, index)
    if side == UNSURE:
        return near
    if near.side == UNKNOWN:
        return _baseline(near, mark, contact, found)
    if side != near.side:
        return _challenged(near, mark, zone, index, found)
    if side == OUTSIDE and near.candidate is None and zone.judges_pass_through:
        _find_passing(near, mark, zone, found)
    return msgspec.structs.replace(near, last=mark, candidate=None, count=0)


def _under_new_version(near: Near, zone: Zone, index: ZoneIndex) -> Near:
    """What stays known: the side, if the last sure fix is on that side of the new shape, too.

    Otherwise the shape has moved, and not the asset; being inside is remembered.
    """
    if near.last is not None and index.side_of(zone, near.last) == near.side:
        return Near(zone.version_id, near.side, near.last)
    return Near(zone.version_id, UNKNOWN, was_inside=near.is_inside)


def _baseline(near: Near, mark: Mark, contact: Contact, found: list[Found]) -> Near:
    """The first sure fix sets the side without a crossing."""
    zone = contact.zone
    if contact.side == OUTSIDE:
        if near.was_inside:
            found.append(_lost(zone.geofence_id, near, mark))
        return Near(zone.version_id, OUTSIDE, mark)
    if near.was_inside:
        return Near(zone.version_id, INSIDE, mark)
    found.append(
        Found(
            geofence_id=zone.geofence_id,
            version_id=zone.version_id,
            kind="found",
            at_us=mark.at_us,
            not_before_us=None,
            not_after_us=mark.at_us,
            confirmed_us=mark.at_us,
            device_id=mark.device_id,
            lon_deg=mark.lon_deg,
            lat_deg=mark.lat_deg,
        )
    )
    return Near(zone.version_id, INSIDE, mark)


def _lost(geofence_id: int, near: Near, mark: Mark) -> Found:
    return Found(
        geofence_id=geofence_id,
        version_id=near.version_id,
        kind="lost",
        at_us=mark.at_us,
        not_before_us=near.last.at_us if near.last else None,
        not_after_us=mark.at_us,
        confirmed_us=mark.at_us,
        device_id=mark.device_id,
        lon_deg=mark.lon_deg,
        lat_deg=mark.lat_deg,
    )


def _challenged(near: Near, mark: Mark, zone: Zone, index: ZoneIndex, found: list[Found]) -> Near:
    """A sure fix on the other side: a candidate, or the fix that confirms it."""
    candidate, count = near.candidate or mark, near.count + 1
    held_us = mark.at_us - candidate.at_us
    if count < zone.persist_fixes or held_us < zone.persist_us:
        return msgspec.structs.replace(near, candidate=candidate, count=count)
    assert near.last is not None, "a known side has a sure fix"
    is_entry = near.side == OUTSIDE
    found.append(
        Found(
            geofence_id=zone.geofence_id,
            version_id=zone.version_id,
            kind="enter" if is_entry else "exit",
            at_us=candidate.at_us,
            not_before_us=near.last.at_us,
            not_after_us=candidate.at_us,
            estimate_us=index.crossing_time_us(zone, near.last, candidate, is_entry=is_entry),
            confirmed_us=mark.at_us,
            device_id=mark.device_id,
            lon_deg=candidate.lon_deg,
            lat_deg=candidate.lat_deg,
        )
    )
    return Near(zone.version_id, INSIDE if is_entry else OUTSIDE, mark)


def _find_passing(near: Near, mark: Mark, zone: Zone, found: list[Found]) -> None:
    """Two sure fixes outside whose straight way cuts the zone."""
    last = near.last
    if last is None or mark.at_us - last.at_us > zone.max_gap_us:
        return
    times = passing_times_us(last, mark, zone)
    if times is None:
        return
    found.append(
        Found(
            geofence_id=zone.geofence_id,
            version_id=zone.version_id,
            kind="pass",
            at_us=mark.at_us,
            not_before_us=last.at_us,
            not_after_us=mark.at_us,
            estimate_us=times[0],
            left_estimate_us=times[1],
            confirmed_us=mark.at_us,
            device_id=mark.device_id,
            lon_deg=mark.lon_deg,
            lat_deg=mark.lat_deg,
            is_inferred=True,
        )
    )


def _remember(fold: Fold, mark: Mark, accuracy_limits_m: Sequence[float]) -> None:
    fold.since_checkpoint += 1
    if not accuracy_limits_m or mark.accuracy_m <= accuracy_limits_m[0]:
        fold.recent = (mark,)
        return
    newest = {mark}
    for limit_m in accuracy_limits_m:
        admitted = (old for old in reversed(fold.recent) if old.accuracy_m <= limit_m)
        if limit_m < mark.accuracy_m and (old := next(admitted, None)):
            newest.add(old)
    fold.recent = tuple(in_order(newest))


def judge_all(
    fold: Fold,
    fixes: Sequence[Mark],
    index: ZoneIndex,
    scope: Scope = Scope(),  # noqa: B008
) -> list[Found]:
    """As `judge`, asking `index` for the contacts."""
    return judge(fold, fixes, index.contacts(columns_of(fixes)), index, scope)
