"""Observations of a made fleet, and the requests that carry them, built before the clock runs."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

# Everything happens within this box, some 330 by 230 km: a small country.
WEST_DEG, SOUTH_DEG, SIDE_DEG = 13.5, 45.0, 3.0
# 220 m a report, 80 km/h.
STEP_DEG = 0.002
INTERVAL_S = 10.0


def identifier(asset: int) -> str:
    return f"b{asset:015x}"


@dataclass(frozen=True)
class Seen:
    device: str
    measured_at: float
    lon_deg: float
    lat_deg: float

    def as_json(self) -> str:
        at = datetime.fromtimestamp(self.measured_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            f'{{"device":"{self.device}","measured_at":"{at}","lat":{self.lat_deg:.6f},'
            f'"lon":{self.lon_deg:.6f},"speed_mps":12.5,"course_deg":90.0,"accuracy_m":5.0,'
            '"readings":{"battery.level":80,"air.temperature":4.1}}'
        )

    def as_query(self) -> str:
        return (
            f"id={self.device}&lat={self.lat_deg:.6f}&lon={self.lon_deg:.6f}"
            f"&timestamp={self.measured_at:.0f}&speed=24.3&bearing=90&accuracy=5&batt=80"
        )


class Fleet:
    """Assets that wander; each round has every asset once, `INTERVAL_S` after the round before."""

    def __init__(self, assets: int, *, since: float, seed: int = 1) -> None:
        chance = random.Random(seed)
        self._since = since
        self._round = 0
        self._at = [
            (WEST_DEG + SIDE_DEG * chance.random(), SOUTH_DEG + SIDE_DEG * chance.random())
            for _ in range(assets)
        ]
        self._step = [
            (STEP_DEG * math.cos(angle), STEP_DEG * math.sin(angle))
            for angle in (chance.uniform(0, math.tau) for _ in range(assets))
        ]
        self._stream = self._seen()

    def take(self, count: int) -> list[Seen]:
        """The next observations, going on where the last call stopped."""
        return [next(self._stream) for _ in range(count)]

    def _seen(self) -> Iterator[Seen]:
        while True:
            # Whole seconds: some formats know no finer time.
            measured_at = math.floor(self._since + self._round * INTERVAL_S)
            for asset, (lon_deg, lat_deg) in enumerate(self._at):
                east, north = self._step[asset]
                yield Seen(
                    identifier(asset),
                    measured_at,
                    _within(lon_deg + east * self._round, WEST_DEG),
                    _within(lat_deg + north * self._round, SOUTH_DEG),
                )
            self._round += 1


def _within(value: float, low: float) -> float:
    """Reflect at the edges of the box."""
    offset = (value - low) % (2 * SIDE_DEG)
    return low + min(offset, 2 * SIDE_DEG - offset)


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return (parts.hostname or "127.0.0.1", parts.port or 80)


def _request(url: str, body: str, content_type: str, *, method: str = "POST") -> bytes:
    parts = urlsplit(url)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    head = f"{method} {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    if body or method == "POST":
        head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n{body}".encode()


def osmand_requests(url: str, seen: list[Seen]) -> list[bytes]:
    """One request an observation; the query is added to the URL."""
    join = "&" if "?" in url else "?"
    return [
        _request(f"{url}{join}{one.as_query()}", "", "application/x-www-form-urlencoded")
        for one in seen
    ]


def json_requests(url: str, seen: list[Seen], *, batch: int = 1) -> list[bytes]:
    """Our own JSON, `batch` observations a request."""
    if batch == 1:
        return [_request(url, one.as_json(), "application/json") for one in seen]
    return [
        _request(
            url,
            '{"positions":['
            + ",".join(one.as_json() for one in seen[first : first + batch])
            + "]}",
            "application/json",
        )
        for first in range(0, len(seen), batch)
    ]
