"""Coordinates as senders give them, into a fix or none."""

from __future__ import annotations

from core.observation import Fix, Method


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

    Senders write -1 for an unknown value and, for an accuracy, 0; a course of 360 is north.
    """
    if lat_deg is None or lon_deg is None or not is_on_earth(lat_deg, lon_deg):
        return None
    if is_null_island(lat_deg, lon_deg):
        return None
    return Fix(
        lon_deg=float(lon_deg),
        lat_deg=float(lat_deg),
        altitude_m=None if altitude_m is None else float(altitude_m),
        accuracy_m=float(accuracy_m) if accuracy_m is not None and accuracy_m > 0 else None,
        speed_mps=float(speed_mps) if speed_mps is not None and speed_mps >= 0 else None,
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
    if course_deg is None or not 0 <= course_deg <= 360:
        return None
    return float(course_deg) % 360.0
