"""Simplifying a track: the fixes to keep so that place and time stay right.

The error of a dropped fix is its distance to the place of the asset at the same time, as
interpolated between the kept fixes, and not its distance to the drawn line. So a stop stays a
stop, and a replay is never farther off than the answer says.
"""

from __future__ import annotations

import math
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

METRES_PER_DEGREE = 111_195.0

Floats = NDArray[np.float64]
# Deviation in metres, negative so that the greatest is the smallest; then first, last, worst.
_Stretch = tuple[float, int, int, int]


class Fixes:
    """The fixes of a track: longitude, latitude and time in any unit, in order of time.

    Longitudes are continuous: a step over the antimeridian goes on beyond 180 degrees.
    """

    def __init__(self, lon_deg: Floats, lat_deg: Floats, at: NDArray[np.int64]) -> None:
        self.lon_deg = np.unwrap(lon_deg, period=360.0)
        self.lat_deg = lat_deg
        self.at = at
        self._east_m = METRES_PER_DEGREE * np.cos(np.radians(lat_deg))
        self._elapsed = (at - at[0]).astype(np.float64) if len(at) else at.astype(np.float64)

    def __len__(self) -> int:
        return len(self.at)

    def worst(self, first: int, last: int) -> _Stretch:
        """Return the fix between `first` and `last` with the greatest interpolation error."""
        inner = slice(first + 1, last)
        elapsed, lon_deg, lat_deg = self._elapsed, self.lon_deg, self.lat_deg
        span = elapsed[last] - elapsed[first]
        part = (elapsed[inner] - elapsed[first]) / (span or 1.0)
        east = lon_deg[inner] - lon_deg[first] - part * (lon_deg[last] - lon_deg[first])
        north = lat_deg[inner] - lat_deg[first] - part * (lat_deg[last] - lat_deg[first])
        east *= self._east_m[inner]
        north *= METRES_PER_DEGREE
        squares = east * east + north * north
        index = int(np.argmax(squares))
        return -math.sqrt(squares[index]), first, last, first + 1 + index


def simplified_track(
    fixes: Fixes, *, max_points: int, tolerance_m: float = 0.0
) -> tuple[NDArray[np.intp], float]:
    """Return the indexes of the fixes to keep, and the greatest error of the others in metres.

    Keeps both ends, then always the fix with the greatest error, until no error is greater than
    `tolerance_m` or `max_points` are kept.
    """
    count = len(fixes)
    if count <= 2:
        return np.arange(count), 0.0
    kept = [0, count - 1]
    waiting = [fixes.worst(0, count - 1)]
    while waiting and len(kept) < max_points and -waiting[0][0] > tolerance_m:
        _, first, last, split = heappop(waiting)
        kept.append(split)
        for left, right in ((first, split), (split, last)):
            if right - left > 1:
                heappush(waiting, fixes.worst(left, right))
    return np.sort(np.array(kept)), -waiting[0][0] if waiting else 0.0
