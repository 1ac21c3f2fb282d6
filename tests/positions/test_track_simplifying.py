"""At any time a simplified track is within the stated distance of the fixes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from positions.track_simplifying import METRES_PER_DEGREE, Fixes, simplified_track

TRACKS = st.lists(
    st.tuples(
        st.floats(-179, 179, allow_nan=False),
        st.floats(-89, 89, allow_nan=False),
        st.integers(0, 3600),
    ),
    min_size=1,
    max_size=40,
)


def track(*fixes: tuple[float, float, int]) -> Fixes:
    lon_deg, lat_deg, at = zip(*sorted(fixes, key=lambda fix: fix[2]), strict=True)
    return Fixes(np.array(lon_deg), np.array(lat_deg), np.array(at, dtype=np.int64))


def farthest_m(fixes: Fixes, kept: np.ndarray) -> float:
    """Return how far a fix is from where the kept ones put the asset at its time."""
    first = fixes.at[0]
    lon_deg = np.interp(fixes.at - first, fixes.at[kept] - first, fixes.lon_deg[kept])
    lat_deg = np.interp(fixes.at - first, fixes.at[kept] - first, fixes.lat_deg[kept])
    east = (fixes.lon_deg - lon_deg) * np.cos(np.radians(fixes.lat_deg))
    return float(np.hypot(east, fixes.lat_deg - lat_deg).max() * METRES_PER_DEGREE)


def test_a_straight_even_drive_needs_its_ends_only():
    kept, within_m = simplified_track(
        track(*((9 + i / 100, 52.0, i) for i in range(11))), max_points=100, tolerance_m=1
    )

    assert kept.tolist() == [0, 10]
    assert within_m < 1


def test_a_stop_on_a_straight_road_stays_a_stop():
    fixes = track((9.0, 52, 0), (9.1, 52, 100), (9.1, 52, 5000), (9.2, 52, 5100))

    kept, _ = simplified_track(fixes, max_points=100, tolerance_m=50)

    assert kept.tolist() == [0, 1, 2, 3]


def test_the_worst_placed_fix_is_kept_first():
    fixes = track((9.0, 52.0, 0), (9.1, 52.001, 10), (9.2, 52.5, 20), (9.3, 52.0, 30))

    kept, _ = simplified_track(fixes, max_points=3)

    assert kept.tolist() == [0, 2, 3]


def test_a_way_over_the_antimeridian_stays_short():
    fixes = track((179.9, 0.0, 0), (-179.9, 0.0, 10))

    assert fixes.lon_deg.tolist() == pytest.approx([179.9, 180.1])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_short_track_is_kept_whole(count):
    points = np.zeros(count)

    kept, within_m = simplified_track(
        Fixes(points, points, np.arange(count, dtype=np.int64)), max_points=2
    )

    assert (len(kept), within_m) == (count, 0.0)


@given(TRACKS, st.floats(0, 1e6), st.integers(2, 30))
def test_no_fix_is_farther_off_than_the_answer_says(fixes, tolerance_m, max_points):
    way = track(*({at: (lon, lat, at) for lon, lat, at in fixes}.values()))

    kept, within_m = simplified_track(way, max_points=max_points, tolerance_m=tolerance_m)

    assert len(kept) <= max(max_points, 2)
    assert within_m <= tolerance_m or len(kept) == max_points
    assert farthest_m(way, kept) <= within_m + 0.01
    assert (np.diff(kept) > 0).all()
