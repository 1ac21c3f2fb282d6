"""Radio around a device: access points, beacons and cells as senders list them, into scans."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any, TypeVar

from core.observation import MAX_SCANNED, Beacon, Cell, Scans
from wire.quantities import lenient_number

Seen = TypeVar("Seen", Beacon, Cell)

_MAC = re.compile(r"[0-9a-f]{2}(?:[:-]?[0-9a-f]{2}){5}", re.ASCII)
# A level beyond these is no dBm.
_LEVELS_DBM = range(-200, 51)
# The number of a cell has 36 bits at most.
_CELL_NUMBERS = range(1 << 36)


def scans_of(
    *,
    wifi: Iterable[Beacon | None] = (),
    bluetooth: Iterable[Beacon | None] = (),
    cells: Iterable[Cell | None] = (),
) -> Scans | None:
    """Return the first of each kind, without the unreadable (None); None where none is left."""
    scans = Scans(wifi=_bounded(wifi), bluetooth=_bounded(bluetooth), cells=_bounded(cells))
    return scans if scans.wifi or scans.bluetooth or scans.cells else None


def _bounded(seen: Iterable[Seen | None]) -> tuple[Seen, ...]:
    return tuple(islice((one for one in seen if one is not None), MAX_SCANNED))


def beacon(mac: Any, rssi_dbm: Any = None) -> Beacon | None:
    """Return a beacon, or None where `mac` is no hardware address."""
    text = mac.strip().lower() if isinstance(mac, str) else ""
    if not _MAC.fullmatch(text):
        return None
    digits = text.replace(":", "").replace("-", "")
    spelled = ":".join(digits[place : place + 2] for place in range(0, 12, 2))
    return Beacon(spelled, _level(rssi_dbm))


def cell(mcc: Any, mnc: Any, area: Any, number: Any, rssi_dbm: Any = None) -> Cell | None:
    """Return a cell, or None unless all four are whole numbers, or texts of them."""
    numbers = [found for one in (mcc, mnc, area, number) if (found := _number(one)) is not None]
    if len(numbers) < 4:
        return None
    country_code, network_code, area_code, cell_id = numbers
    return Cell(country_code, network_code, area_code, cell_id, _level(rssi_dbm))


def _level(value: Any) -> int | None:
    found = lenient_number(value)
    return None if found is None or int(found) not in _LEVELS_DBM else int(found)


def _number(value: Any) -> int | None:
    found = lenient_number(value)
    is_whole = found is not None and found == int(found)
    return int(found) if found is not None and is_whole and int(found) in _CELL_NUMBERS else None
