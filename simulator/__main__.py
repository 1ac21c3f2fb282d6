"""`python -m simulator --url http://127.0.0.1:8001 --sources sources.json`

`sources.json` is the output of `manage.py bootstrap --json`, or a JSON object that maps wire
formats to tokens or to `{"token": …}`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from simulator.fleet import NO_FAULTS, Faults, all_transmissions, make_fleet
from simulator.routes import load_track
from simulator.senders import Clock, Senders

TRACKS = Path(__file__).parents[1] / "fixtures" / "tracks"
TRACK_NAMES = ("car-drive.json", "lake-outing.json")
SUMMARY_EVERY_S = 60.0

logger = logging.getLogger("simulator")


def main(arguments: list[str]) -> None:
    options = _parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)
    logger.setLevel(logging.INFO)
    try:
        asyncio.run(_run(options))
    except KeyboardInterrupt:
        sys.exit(130)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--url", required=True, help="the ingest server's address")
    parser.add_argument("--sources", required=True, type=Path, help="tokens by wire format")
    parser.add_argument("--assets", type=int, default=25)
    parser.add_argument("--rate", type=float, default=5.0, help="reports a second, of the fleet")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--duration", type=float, help="seconds, then stop; otherwise for ever")
    parser.add_argument("--history", type=float, default=0.0, help="begin so many minutes ago")
    parser.add_argument(
        "--speedup", type=float, default=1.0, help="how fast the past passes until it is now"
    )
    parser.add_argument("--no-faults", action="store_true", help="every report prompt and once")
    options = parser.parse_args(arguments)
    if options.speedup < 1 or options.rate <= 0 or options.assets < 1:
        parser.error("speedup, rate and assets must be positive, speedup at least 1")
    return options


def _clock(options: argparse.Namespace) -> Clock:
    """Return the fleet's clock.

    With a speed-up but no history, it reaches the present at the end of the duration; without a
    duration it begins an hour ago.
    """
    now = time.time()
    past_s = 60 * options.history
    if not past_s and options.speedup > 1:
        past_s = options.duration * (options.speedup - 1) if options.duration else 3600.0
    return Clock(began_at=now, fleet_began_at=now - past_s, speedup=options.speedup)


async def _run(options: argparse.Namespace) -> None:
    fleet = make_fleet(
        assets=options.assets,
        rate=options.rate,
        seed=options.seed,
        tracks=[load_track(TRACKS / name) for name in TRACK_NAMES if (TRACKS / name).exists()],
    )
    clock = _clock(options)
    senders = Senders(url=options.url, tokens=tokens_of(json.loads(options.sources.read_text())))
    faults = NO_FAULTS if options.no_faults else Faults()
    until = float("inf")
    if options.duration:
        until = clock.fleet_began_at + options.duration * options.speedup
    logger.info("%d assets, %.1f reports a second, to %s", len(fleet), options.rate, options.url)
    summaries = asyncio.create_task(_summarise(senders))
    await senders.send_all(all_transmissions(fleet, clock.fleet_began_at, faults), clock, until)
    summaries.cancel()
    logger.info(_summary(senders))


async def _summarise(senders: Senders) -> None:
    while True:
        await asyncio.sleep(SUMMARY_EVERY_S)
        logger.info(_summary(senders))


def _summary(senders: Senders) -> str:
    counts = sorted(senders.answers.items())
    return ", ".join(f"{name}: {count}" for name, count in counts) or "nothing sent yet"


def tokens_of(given: dict[str, Any]) -> dict[str, str]:
    """Return tokens by wire format, from both forms of the sources file."""
    sources = given.get("sources", given)
    return {
        wire_format: source if isinstance(source, str) else source["token"]
        for wire_format, source in sources.items()
    }


if __name__ == "__main__":
    main(sys.argv[1:])
