"""What a person can do with a page of the console, and what they see."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
DRIVER = Path(__file__).with_name("driver.mjs")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

# Small, since without a graphics card every pixel costs.
DESKTOP = (800, 500)
PHONE = (390, 844)
THEMES = ("light", "dark")
TILE_PX = 512

LonLat = tuple[float, float]
At = dict[str, Any]


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def role(kind: str, name: str = "", **more: Any) -> At:
    return {"role": kind, **({"name": name} if name else {}), **more}


def label(text: str, **more: Any) -> At:
    return {"label": text, **more}


def text(words: str, **more: Any) -> At:
    return {"text": words, **more}


class Driver:
    """The browser's process."""

    def __init__(self, executable: str) -> None:
        environment = os.environ | {"CHROMIUM": executable, "FRONTEND": str(FRONTEND)}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            ["node", str(DRIVER)], env=environment, stdin=pipe, stdout=pipe, text=True
        )
        assert "ready" in self._answer(), "the browser did not start"

    def do(self, order: str, **given: Any) -> Any:
        assert self._process.stdin is not None, "a pipe was asked for"
        self._process.stdin.write(json.dumps({"order": order, **given}) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        assert "error" not in answer, f"{order} {given.get('at', '')}: {answer['error']}"
        return answer["value"]

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None, "a pipe was asked for"
        line = self._process.stdout.readline()
        assert line, "the browser's process ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None, "a pipe was asked for"
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()


@dataclass(frozen=True)
class View:
    """Where the map looks; longitude first."""

    center: LonLat
    zoom: float

    @property
    def query(self) -> str:
        lon_deg, lat_deg = self.center
        return f"lon={lon_deg}&lat={lat_deg}&zoom={self.zoom}"

    def offset_px(self, lonlat_deg: LonLat) -> dict[str, float]:
        """Return where a place is drawn, from the middle of the map."""
        (x, y), (middle_x, middle_y) = _mercator(lonlat_deg), _mercator(self.center)
        world_px = TILE_PX * 2**self.zoom
        return {"x": (x - middle_x) * world_px, "y": (y - middle_y) * world_px}


def _mercator(lonlat_deg: LonLat) -> LonLat:
    lon_deg, lat_deg = lonlat_deg
    y = math.asinh(math.tan(math.radians(lat_deg)))
    return (lon_deg / 360 + 0.5, 0.5 - y / (2 * math.pi))


class Console:
    """One page in a fresh browser."""

    def __init__(
        self,
        driver: Driver,
        url: str,
        *,
        path: str = "/",
        size: tuple[int, int] = DESKTOP,
        theme: str = "light",
        is_signed_in: bool = False,
        lost: str = "",
    ) -> None:
        """Open `path`, with the session that was kept if `is_signed_in`.

        Requests of addresses like `lost` are lost on the way, until `lose_nothing`.
        """
        self._driver = driver
        self.url = url
        given = {"width": size[0], "height": size[1], "theme": theme, "is_phone": size == PHONE}
        self._do("open", url=f"{url}{path}", is_signed_in=is_signed_in, lost=lost, **given)

    def _do(self, order: str, **given: Any) -> Any:
        return self._driver.do(order, **given)

    def sign_in(self, username: str, password: str) -> None:
        self.send_login(username, password)
        self.see(role("navigation", "Pages"))
        self._do("keepSession")

    def send_login(self, username: str, password: str) -> None:
        self.fill(label("User name or e-mail"), username)
        self.fill(label("Password"), password)
        self.click(role("button", "Sign in"))

    # --- the map -----------------------------------------------------------------

    def look_at(self, view: View) -> None:
        self.goto(f"/app/map?{view.query}")
        self.see({"css": ".live-map canvas"})

    def click_map(self, view: View, lonlat_deg: LonLat) -> None:
        self._do("clickMap", offset=view.offset_px(lonlat_deg))

    def paint(self, view: View, lonlat_deg: LonLat, size_px: int = 24) -> str:
        """Return what is painted around a place on the map."""
        offset = view.offset_px(lonlat_deg)
        return str(self._do("paint", offset=offset, size_px=size_px))

    # --- hands and eyes ------------------------------------------------------------

    def settle(self) -> None:
        """Wait until nothing more is being loaded."""
        self._do("settle")

    def goto(self, path: str) -> None:
        self._do("goto", url=f"{self.url}{path}")

    def path(self) -> str:
        return str(self._do("url")).removeprefix(self.url)

    def use_theme(self, theme: str) -> None:
        self._do("theme", theme=theme)

    def click(self, at: At) -> None:
        self._do("click", at=at)

    def fill(self, at: At, value: str) -> None:
        self._do("fill", at=at, value=value)

    def choose(self, at: At, option: str) -> None:
        self._do("choose", at=at, value=option)

    def press(self, key: str) -> None:
        self._do("press", key=key)

    def type(self, words: str) -> None:
        """Type into whatever has the focus."""
        self._do("type", words=words)

    def lose_graphics(self) -> None:
        """Take the graphics card from the map, as a driver does that starts anew."""
        self._do("loseGraphics")

    def regain_graphics(self) -> None:
        self._do("regainGraphics")

    def lose_nothing(self) -> None:
        """From now on every request reaches the server."""
        self._do("loseNothing")

    def see(self, at: At, within_s: float = 15) -> None:
        """Wait until it is there."""
        self._do("see", at=at, timeout_ms=within_s * 1000)

    def miss(self, at: At, within_s: float = 15) -> None:
        """Wait until it is gone."""
        self._do("miss", at=at, timeout_ms=within_s * 1000)

    def count(self, at: At) -> int:
        return int(self._do("count", at=at))

    def read(self, at: At) -> str:
        return str(self._do("read", at=at))

    def value(self, at: At) -> str:
        return str(self._do("value", at=at))

    def place_in_card(self) -> LonLat | None:
        """Return longitude and latitude as the card of the selected asset says them."""
        said = self.read(role("region", "Selected asset"))
        found = re.search(r"Latitude, longitude\s+(-?[\d.]+), (-?[\d.]+)", said)
        return (float(found[2]), float(found[1])) if found else None

    def screenshot(self, path: Path) -> None:
        self._do("screenshot", path=str(path))

    # --- verdicts --------------------------------------------------------------------

    def assert_accessible(self) -> None:
        """Fail on anything that axe finds, in either theme."""
        for theme in THEMES:
            self.use_theme(theme)
            found = self._do("axe")
            assert not found, f"{self.path()}, {theme}: {found}"

    def assert_clean(self) -> None:
        """Fail on any script error, broken policy, dialog or foreign request since it opened."""
        troubles = self._do("troubles")
        assert not troubles, troubles
