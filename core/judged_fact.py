"""Facts as folds see them: the parts of a position that may decide."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from core.fact_order import FactKey
from core.observation import Value

NO_READINGS: Mapping[str, Value] = {}


class DecidingFix(Struct, frozen=True, array_like=True, gc=False):
    """A fix that may decide. Unknown is 0 for `accuracy_m`, None for the other members."""

    at_us: int
    device_id: int
    lon_deg: float
    lat_deg: float
    accuracy_m: float = 0.0
    altitude_m: float | None = None
    speed_mps: float | None = None

    @property
    def lonlat_deg(self) -> tuple[float, float]:
        return self.lon_deg, self.lat_deg


class JudgedFact(Struct, frozen=True, gc=False):
    """A fact of an asset, in the order of `key`.

    `fix` is None if the fact has no fix, or a fix that was estimated from gateways and so may
    not decide. `readings` are filled in only if some fold asks for them.
    """

    key: FactKey
    fix: DecidingFix | None
    readings: Mapping[str, Value] = NO_READINGS

    @property
    def at_us(self) -> int:
        return self.key.at_us
