"""How long after the printed curl line a marker of one's own is on the screen.

    .venv/bin/python benchmarks/marker.py [--quick] [--json FILE] [--strict]

Runs the demo over servers of its own, opens its console in headless Chromium, and runs the line
that the demo prints, each time for a new device. Counted from before curl starts until the
asset stands in the list, and until something is painted on the map where it is. A look at
the screen takes a tenth of a second without a graphics card, and is counted too.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.tools.table import Table
from tests.browser.console import Console, Driver, View, chromium, label, role, text
from tests.house.demo import own_demo

TARGET_S = 1.0
GIVE_UP_S = 20.0
# At sea, where nothing else moves; a cell of half a kilometre for each repeat.
SEA_LONLAT_DEG = (13.60, 45.62)
STEP_DEG = 0.006
VIEW = View((13.63, 45.62), 12.0)


def report(curl: str, device: str, lonlat_deg: tuple[float, float]) -> None:
    """Run the printed line as it is, but for another device at another place."""
    lon_deg, lat_deg = lonlat_deg
    line = curl.replace("id=my-first", f"id={device}")
    line = re.sub(r"lat=[\d.]+", f"lat={lat_deg:.5f}", line)
    line = re.sub(r"lon=[\d.]+", f"lon={lon_deg:.5f}", line)
    subprocess.run(f"{line} --silent --fail", shell=True, check=True, capture_output=True)


class Watch:
    """Takes the times of each repeat."""

    def __init__(self, curl: str, console: Console) -> None:
        self._curl, self._console = curl, console
        self.answered_s: list[float] = []
        self.listed_s: list[float] = []
        self.painted_s: list[float] = []

    def repeat(self, number: int) -> None:
        column, row = number % 10, number // 10
        place = (SEA_LONLAT_DEG[0] + column * STEP_DEG, SEA_LONLAT_DEG[1] - row * STEP_DEG)
        # At another phase of every clock in the house each time.
        time.sleep(1.0 + 0.137 * (number % 8))
        name = f"marker-{number:03d}"
        before = self._console.paint(VIEW, place)
        began = time.perf_counter()
        report(self._curl, name, place)
        self.answered_s.append(time.perf_counter() - began)
        row_of_it = text(name, within=role("listbox", "Assets"))
        wanted: dict[str, Callable[[], bool]] = {
            "listed": lambda: self._console.count(row_of_it) > 0,
            "painted": lambda: self._console.paint(VIEW, place) != before,
        }
        while wanted:
            for what in [what for what, is_there in wanted.items() if is_there()]:
                getattr(self, f"{what}_s").append(time.perf_counter() - began)
                del wanted[what]
            if time.perf_counter() - began > GIVE_UP_S:
                raise RuntimeError(f"{name} is not {' and not '.join(wanted)}")


def measure(repeats: int) -> Table:
    executable = chromium()
    if executable is None:
        raise RuntimeError("Chromium is missing: run `make install`")
    with own_demo() as demo, contextlib.closing(Driver(executable)) as driver:
        demo.start()
        console = Console(driver, demo.url)
        console.sign_in("admin", demo.admin_password)
        console.look_at(VIEW)
        console.fill(label("Find assets"), "marker-")
        watch = Watch(demo.curl, console)
        # The first ones also meet what starts with the first use.
        watch.repeat(0)
        warm = Watch(demo.curl, console)
        for number in range(1, repeats + 1):
            warm.repeat(number)
    table = Table(f"from the printed curl line to the screen, {repeats} new devices")
    target = f"≤ {TARGET_S:g} s"
    table.add("the very first", _figure([max(watch.listed_s[0], watch.painted_s[0])]))
    table.add("curl has its answer", _figure(warm.answered_s))
    for what, seconds in (("in the list", warm.listed_s), ("on the map", warm.painted_s)):
        table.add(what, _figure(seconds), target, max(seconds) <= TARGET_S)
    table.details = {
        "answered_s": warm.answered_s,
        "listed_s": warm.listed_s,
        "painted_s": warm.painted_s,
    }
    return table


def _figure(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.2f} s, max {max(seconds):.2f} s"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", type=Path, help="write figures and machine to this file")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a target is missed")
    options = parser.parse_args()
    # An end from outside must not leave the demo behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    table = measure(5 if options.quick else 30)
    print(table.text())
    if options.json:
        table.write_json(options.json)
    return 1 if options.strict and not table.is_met else 0


if __name__ == "__main__":
    sys.exit(main())
