"""The `$GPRMC` sentence that Traccar puts into a URL template."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from wire.quantities import number_of_text


def members_of_sentence(sentence: str) -> dict[str, Any]:
    """Return the values of a sentence under the names of Traccar's JSON; none of any other text.

    The checksum is not verified: some templates cut it off, and TCP has its own.
    """
    parts = sentence.partition("*")[0].split(",")
    if len(parts) < 10 or not parts[0].endswith("RMC"):
        return {}
    _, clock, status, lat, north, lon, east, speed, course, date = parts[:10]
    members = {
        "fixTime": _time(date, clock),
        "valid": status == "A",
        "latitude": _degrees(lat, is_negative=north == "S"),
        "longitude": _degrees(lon, is_negative=east == "W"),
        "speed": number_of_text(speed),
        "course": number_of_text(course),
    }
    return {name: value for name, value in members.items() if value is not None}


def _degrees(text: str, *, is_negative: bool) -> float | None:
    """Read `dddmm.mmmm`."""
    found = number_of_text(text)
    if found is None or found < 0:
        return None
    degrees = found // 100 + found % 100 / 60
    return -degrees if is_negative else degrees


def _time(date: str, clock: str) -> str | None:
    """Read `ddmmyy` and `hhmmss`, with or without a fraction."""
    whole, _, fraction = clock.partition(".")
    text = f"{date} {whole}.{fraction[:6] or '0'}"
    try:
        return datetime.strptime(text, "%d%m%y %H%M%S.%f").replace(tzinfo=UTC).isoformat()
    except ValueError:
        return None
