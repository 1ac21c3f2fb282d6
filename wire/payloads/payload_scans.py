"""Access points and beacons that a decoded payload lists: scans, and no readings."""

from __future__ import annotations

from core.observation import Beacon, Scans
from wire.payloads.member_names import normal_name, words_of
from wire.payloads.members import Scope
from wire.scans import beacon, scans_of

_ADDRESSES = frozenset({"mac", "bssid", "macaddress"})
_LEVELS = frozenset({"rssi", "signalstrength", "signal"})
_WIFI_WORDS = frozenset({"wifi", "wlan", "ap", "aps", "access"})
_BLUETOOTH_WORDS = frozenset({"ble", "bluetooth", "beacon", "beacons", "ibeacon", "ibeacons"})


def scans_in(root: Scope) -> Scans | None:
    """Return the access points and beacons that a payload lists; their members are settled."""
    heard: dict[str, list[Beacon]] = {"wifi": [], "bluetooth": []}
    for scope in root.below():
        kind = _kind(scope)
        found = _beacon(scope) if kind else None
        if found is not None:
            heard[kind].append(found)
            for member in scope.members:
                member.settle("scan")
    return scans_of(wifi=heard["wifi"], bluetooth=heard["bluetooth"])


def _kind(scope: Scope) -> str:
    """Return the kind of scan by the name of the list, or of the object with names of addresses."""
    for name in reversed(scope.names[-2:]):
        words = frozenset(words_of(name))
        if words & _WIFI_WORDS:
            return "wifi"
        if words & _BLUETOOTH_WORDS:
            return "bluetooth"
    return ""


def _beacon(scope: Scope) -> Beacon | None:
    named = {normal_name(member.names[-1]): member.value for member in scope.members}
    level = next((named[name] for name in _LEVELS if name in named), None)
    address = next((named[name] for name in _ADDRESSES if name in named), None)
    return beacon(address if address is not None else scope.names[-1], level)
