"""The fold that finds crossings: one asset's fixes in order, against the zones it meets.

Pure: state in, state and crossings out. A zone is remembered only while there is
something to remember; of every other zone the asset is plainly outside, and was last
surely so at the newest fix that the zone admits. The rules are those of
`docs/geofences.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from geofence.segments import crossing_time_us, passing_times_us
from geofence.zone import Zone
from geofence.zone_index import INSIDE, OUTSIDE, UNSURE, Contact, ZoneIndex, columns_of

UNKNOWN = UNSURE
Kind = Literal["enter", "exit", "pass", "found", "lost"]


class Mark(Struct, frozen=True, array_like=True):
    """A fix that decides, as the fold remembers it. `accuracy_m` is 0 where unknown."""

    at_us: int
    device_id: int
    lon_deg: float
    lat_deg: float
    accuracy_m: float = 0.0
    altitude_m: float | None = None

    @property
    def key(self) -> tuple[int, int]:
        """The order of fixes: by time, of one moment by device."""
        return self.at_us, self.device_id

    @property
    def lonlat_deg(self) -> tuple[float, float]:
        return self.lon_deg, self.lat_deg


class Near(Struct, frozen=True, array_like=True):
    """What is remembered of one zone.

    `side` is INSIDE, OUTSIDE or UNKNOWN; `last` the last sure fix there; `candidate` the
    first of `count` sure fixes on the other side. `was_inside` remembers, while the side
    is unknown after a change of version, that the asset was inside before it. Since when
    is not here, but in the crossings: the state must forget, or late facts would never
    meet it again.
    """

    version_id: int
    side: int
    last: Mark | None = None
    candidate: Mark | None = None
    count: int = 0
    was_inside: bool = False

    @property
    def is_inside(self) -> bool:
        return self.side == INSIDE or self.was_inside


class Found(Struct, frozen=True, kw_only=True):
    """A crossing, or with `found` and `lost` an edge of what is known. Times in µs since 1970."""

    geofence_id: int
    version_id: int
    kind: Kind
    at_us: int
    not_before_us: int | None
    not_after_us: int
    estimate_us: int | None = None
    left_estimate_us: int | None = None
    confirmed_us: int
    device_id: int
    lon_deg: float
    lat_deg: float
    is_inferred: bool = False

    @property
    def confirmed_key(self) -> tuple[int, int]:
        return self.confirmed_us, self.device_id


class Fold(Struct, array_like=True):
    """All that judging an asset's next fix needs of its past.

    `recent` holds, in order, the newest fix and for each limit of accuracy that some zone
    sets, the newest fix within it. `since_checkpoint` counts fixes and is no part of the
    state's meaning.
    """

    recent: tuple[Mark, ...] = ()
    near: dict[int, Near] = {}
    since_checkpoint: int = 0

    @property
    def last_key(self) -> tuple[int, int] | None:
        return self.recent[-1].key if self.recent else None

    def meets(self, other: Fold) -> bool:
        """Whether every future fix will be judged alike from here on."""
        return self.recent == other.recent and self.near == other.near


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Fold)


def fold_of(data: bytes) -> Fold:
    return _decoder.decode(data) if data else Fold()


def bytes_of(fold: Fold) -> bytes:
    return _encoder.encode(fold)


class Scope(Struct, frozen=True):
    """The asset that is judged, as far as zones linked to some assets must know it."""

    asset_id: int = 0
    tags: frozenset[str] = frozenset()

    def admits(self, zone: Zone) -> bool:
        if not zone.asset_ids and not zone.tags:
            return True
        return self.asset_id in zone.asset_ids or not self.tags.isdisjoint(zone.tags)


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
        _step(fold, mark, met, index, scope, found)
    return found


def _step(
    fold: Fold,
    mark: Mark,
    met: Sequence[Contact],
    index: ZoneIndex,
    scope: Scope,
    found: list[Found],
) -> None:
    sides = {contact.zone.geofence_id: contact for contact in met if scope.admits(contact.zone)}
    for geofence_id in [*fold.near]:
        if geofence_id not in sides:
            _revisit(fold, geofence_id, mark, index, scope, sides, found)
    if index.judges_pass_through:
        _look_between(fold, mark, index, scope, sides)
    for geofence_id in sorted(sides):
        contact = sides[geofence_id]
        near = fold.near.get(geofence_id) or _plainly_outside(fold, contact.zone)
        near = _moved_on(near, mark, contact, found)
        if _is_plain(near, mark):
            fold.near.pop(geofence_id, None)
        else:
            fold.near[geofence_id] = near
    _remember(fold, mark, index.accuracy_limits_m)


def _revisit(
    fold: Fold,
    geofence_id: int,
    mark: Mark,
    index: ZoneIndex,
    scope: Scope,
    sides: dict[int, Contact],
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
    sides[geofence_id] = Contact(zone, side)


def _look_between(
    fold: Fold, mark: Mark, index: ZoneIndex, scope: Scope, sides: dict[int, Contact]
) -> None:
    """Add zones that are plainly outside now and before, but lie on the way."""
    if not fold.recent:
        return
    for former in fold.recent:
        for zone in index.passed(former.lonlat_deg, mark.lonlat_deg):
            holds = zone.valid_from_us <= mark.at_us < zone.valid_to_us
            if holds and zone.geofence_id not in sides and scope.admits(zone):
                side = UNSURE if mark.accuracy_m > zone.max_accuracy_m else OUTSIDE
                sides[zone.geofence_id] = Contact(zone, side)


def _plainly_outside(fold: Fold, zone: Zone) -> Near:
    """What an unremembered zone stands for: outside at the newest fix that it admits."""
    for mark in reversed(fold.recent):
        if mark.accuracy_m <= zone.max_accuracy_m:
            if mark.at_us >= zone.valid_from_us:
                return Near(zone.version_id, OUTSIDE, mark)
            break
    return Near(zone.version_id, UNKNOWN)


def _is_plain(near: Near, mark: Mark) -> bool:
    return near.side == OUTSIDE and near.candidate is None and near.last == mark


def _moved_on(near: Near, mark: Mark, contact: Contact, found: list[Found]) -> Near:
    zone, side = contact.zone, contact.side
    if near.version_id != zone.version_id:
        # Another shape: nothing known of it yet, but being inside is remembered.
        near = Near(zone.version_id, UNKNOWN, was_inside=near.is_inside)
    if side == UNSURE:
        return near
    if near.side == UNKNOWN:
        return _baseline(near, mark, contact, found)
    if side != near.side:
        return _challenged(near, mark, zone, found)
    if side == OUTSIDE and near.candidate is None and zone.judges_pass_through:
        _find_passing(near, mark, zone, found)
    return msgspec.structs.replace(near, last=mark, candidate=None, count=0)


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


def _challenged(near: Near, mark: Mark, zone: Zone, found: list[Found]) -> Near:
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
            estimate_us=crossing_time_us(near.last, candidate, zone.area, is_entry=is_entry),
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
    times = passing_times_us(last, mark, zone.area)
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
    newest = {
        next((old for old in reversed(fold.recent) if old.accuracy_m <= limit_m), mark)
        for limit_m in accuracy_limits_m
        if limit_m < mark.accuracy_m
    }
    newest.add(mark)
    fold.recent = tuple(in_order(newest))
    fold.since_checkpoint += 1


def judge_all(
    fold: Fold,
    fixes: Sequence[Mark],
    index: ZoneIndex,
    scope: Scope = Scope(),  # noqa: B008
) -> list[Found]:
    """As `judge`, asking `index` for the contacts."""
    return judge(fold, fixes, index.contacts(columns_of(fixes)), index, scope)


def in_order(marks: Iterable[Mark]) -> list[Mark]:
    return sorted(marks, key=lambda mark: mark.key)
