"""What judging crossings remembers of an asset, and what it finds: plain values, as stored."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Literal

import msgspec
from msgspec import Struct

from core.dated_tags import NEVER_TAGGED, DatedTags
from core.fact_order import FactKey
from core.judged_fact import DecidingFix
from geofence.zone import Zone
from geofence.zone_index import INSIDE, UNSURE, ZoneIndex

UNKNOWN = UNSURE
Kind = Literal["enter", "exit", "pass", "found", "lost"]


class Near(Struct, frozen=True, array_like=True, gc=False):
    """What is remembered of one zone.

    `side` is INSIDE, OUTSIDE or UNKNOWN; `last` the last sure fix there; `candidate` the
    first of `count` sure fixes on the other side. `was_inside` remembers, while the side
    is unknown after a change of version, that the asset was inside before it. Since when
    is not here, but in the crossings: the state must forget, or late facts would never
    meet it again.
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
    """A crossing, or with `found` and `lost` an edge of what is known. Times in µs since 1970.

    It became sure at the fact `confirmed`.
    """

    geofence_id: int
    version_id: int
    kind: Kind
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
    """All that judging an asset's next fix needs of its past.

    `recent` holds, in order, the newest fix and for each limit of accuracy that some zone
    sets, the newest fix within it. `near` holds zones by the id of their geofence.
    """

    recent: tuple[DecidingFix, ...] = ()
    near: dict[int, Near] = {}

    @property
    def inside(self) -> list[int]:
        """The ids of the geofences that the asset is inside of, or was when last sure."""
        return [geofence_id for geofence_id, near in self.near.items() if near.is_inside]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(CrossingState)


def crossing_state_of(data: bytes) -> CrossingState:
    return _decoder.decode(data) if data else CrossingState()


def bytes_of_state(state: CrossingState) -> bytes:
    return _encoder.encode(state)


class LinkedAsset(Struct, frozen=True):
    """The asset that is judged, as far as zones linked to some assets must know it."""

    asset_id: int = 0
    tags: DatedTags = NEVER_TAGGED

    def is_judged_by(self, zone: Zone, at_us: int) -> bool:
        """Return whether a zone is linked to the asset, by its id or by a tag of that time."""
        if not zone.asset_ids and not zone.tags:
            return True
        return self.asset_id in zone.asset_ids or not zone.tags.isdisjoint(self.tags.at(at_us))


class CrossingContext(Struct, frozen=True):
    """What judging crossings must know of an asset: itself, and the zones of its organisation."""

    index: ZoneIndex
    asset: LinkedAsset = LinkedAsset()


_moment_of = attrgetter("at_us", "device_id")


def in_order(fixes: Iterable[DecidingFix]) -> list[DecidingFix]:
    return sorted(fixes, key=_moment_of)
