"""The state of the crossing fold of an asset, and its findings: plain values, as stored."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Literal

from msgspec import Struct

from core.dated_tags import NEVER_TAGGED, DatedTags
from core.fact_order import FactKey
from core.judged_fact import DecidingFix
from geofence.zone import Zone
from geofence.zone_index import INSIDE, UNSURE, ZoneIndex

UNKNOWN = UNSURE
CrossingKind = Literal["enter", "exit", "pass", "found", "lost"]


class RememberedZone(Struct, frozen=True, array_like=True, gc=False):
    """A zone in the state of an asset.

    `side` is INSIDE, OUTSIDE or UNKNOWN; `last` is the last sure fix on it; `candidate` is the
    first of `count` sure fixes on the other side. After a change of version, while the side is
    unknown, `was_inside` keeps that the asset was inside before. The time of entry is not here,
    but in the crossings: the state must forget, or states after a late fact would never meet the
    recorded states again.
    """

    version_id: int
    side: int
    last: DecidingFix | None = None
    candidate: DecidingFix | None = None
    count: int = 0
    was_inside: bool = False

    @property
    def is_inside(self) -> bool:
        return self.side == INSIDE or self.was_inside


class FoundCrossing(Struct, frozen=True, kw_only=True, gc=False):
    """A crossing, sure at the fact `confirmed`. Times in µs since 1970.

    The kinds `found` and `lost` are no crossings: there, knowledge begins or ends.
    """

    geofence_id: int
    version_id: int
    kind: CrossingKind
    at_us: int
    not_before_us: int | None
    not_after_us: int
    estimate_us: int | None = None
    left_estimate_us: int | None = None
    confirmed: FactKey
    lon_deg: float
    lat_deg: float
    is_inferred: bool = False


class CrossingState(Struct, array_like=True):
    """The past of an asset as far as judging its next fix needs it.

    `recent` holds, in order, the newest fix, and for each accuracy limit of any zone the newest
    fix within it. `zones` holds the remembered zones by the id of their geofence.
    """

    recent: tuple[DecidingFix, ...] = ()
    zones: dict[int, RememberedZone] = {}

    @property
    def inside(self) -> list[int]:
        """The ids of the geofences in which the asset is, or was when it was last sure."""
        return [geofence_id for geofence_id, zone in self.zones.items() if zone.is_inside]


class LinkedAsset(Struct, frozen=True):
    """The id and the tags of the judged asset, by which zones may be linked to it."""

    asset_id: int = 0
    tags: DatedTags = NEVER_TAGGED

    def is_judged_by(self, zone: Zone, at_us: int) -> bool:
        """Return whether a zone is linked to the asset, by its id or by a tag of that time."""
        if not zone.asset_ids and not zone.tags:
            return True
        return self.asset_id in zone.asset_ids or not zone.tags.isdisjoint(self.tags.at(at_us))


class CrossingContext(Struct, frozen=True):
    """The context of the crossing fold: the asset, and the zones of its organisation."""

    index: ZoneIndex
    asset: LinkedAsset = LinkedAsset()


_moment_of = attrgetter("at_us", "device_id")


def in_order(fixes: Iterable[DecidingFix]) -> list[DecidingFix]:
    return sorted(fixes, key=_moment_of)
