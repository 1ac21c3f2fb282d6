"""What judging remembers of an asset, and what it finds: plain values, as stored."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Literal

import msgspec
from msgspec import Struct

from geofence.zone import Zone
from geofence.zone_index import INSIDE, UNSURE

UNKNOWN = UNSURE
Kind = Literal["enter", "exit", "pass", "found", "lost"]


class Mark(Struct, frozen=True, array_like=True, gc=False):
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
    last: Mark | None = None
    candidate: Mark | None = None
    count: int = 0
    was_inside: bool = False

    @property
    def is_inside(self) -> bool:
        return self.side == INSIDE or self.was_inside


class Found(Struct, frozen=True, kw_only=True, gc=False):
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


_key_of = attrgetter("at_us", "device_id")


def in_order(marks: Iterable[Mark]) -> list[Mark]:
    return sorted(marks, key=_key_of)
