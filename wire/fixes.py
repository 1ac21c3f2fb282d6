"""Coordinates as senders give them, into a fix or none."""

from __future__ import annotations

from typing import TypedDict

from core.observation import FIX_BOUNDS, Fix, Method


class FixQuantities(TypedDict, total=False):
    """The quantities of a fix as a sender gives them, in our units."""

    altitude_m: float | None
    accuracy_m: float | None
    speed_mps: float | None
    course_deg: float | None


def lenient_fix(
    lat_deg: float | None,
    lon_deg: float | None,
    *,
    altitude_m: float | None = None,
    accuracy_m: float | None = None,
    speed_mps: float | None = None,
    course_deg: float | None = None,
    method: Method = "gnss",
) -> Fix | None:
    """Return a fix, or None where there is none: off the earth, or exactly (0, 0).

    Senders write -1 for an unknown value and, for an accuracy, 0; a course of 360 is north. A
    quantity beyond its bounds is unknown too: `beyond_bounds` returns it for the notes.
    """
    if lat_deg is None or lon_deg is None or not is_on_earth(lat_deg, lon_deg):
        return None
    if is_null_island(lat_deg, lon_deg):
        return None
    return Fix(
        lon_deg=float(lon_deg),
        lat_deg=float(lat_deg),
        altitude_m=_within_bounds("altitude_m", altitude_m),
        accuracy_m=_within_bounds("accuracy_m", accuracy_m) or None,
        speed_mps=_within_bounds("speed_mps", speed_mps),
        course_deg=known_course_deg(course_deg),
        method=method,
    )


def is_on_earth(lat_deg: float, lon_deg: float) -> bool:
    return -90.0 <= lat_deg <= 90.0 and -180.0 <= lon_deg <= 180.0


def is_null_island(lat_deg: float, lon_deg: float) -> bool:
    """Return True for 0, 0: the coordinates that a receiver without a fix reports."""
    return lat_deg == 0 and lon_deg == 0


def known_course_deg(course_deg: float | None) -> float | None:
    """Return a course in [0, 360), or None for what is no course."""
    known = _within_bounds("course_deg", course_deg)
    return None if known is None else known % 360.0


def beyond_bounds(quantities: FixQuantities) -> dict[str, float]:
    """Return the quantities that no receiver reports, for the notes: `lenient_fix` drops them.

    By -1, in whatever unit, a sender declares a quantity unknown.
    """
    sent = (
        ("altitude_m", quantities.get("altitude_m")),
        ("accuracy_m", quantities.get("accuracy_m")),
        ("speed_mps", quantities.get("speed_mps")),
        ("course_deg", quantities.get("course_deg")),
    )
    return {
        name: value
        for name, value in sent
        if value is not None and not -1 <= value < 0 and _within_bounds(name, value) is None
    }


def _within_bounds(name: str, value: float | None) -> float | None:
    lowest, highest = FIX_BOUNDS[name]
    return float(value) if value is not None and lowest <= value <= highest else None
