"""The reports of the fleet and when they arrive: pure, and decided by the seed."""

# Random numbers must be repeatable here, not unpredictable.
# ruff: noqa: S311

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from simulator.routes import (
    PLACES,
    Journey,
    LonLat,
    Movement,
    Parked,
    RecordedJourney,
    Shuttle,
    TrackPoint,
    moved,
)

Reading = float | int | bool | str

AMBIENT_C = 19.0
DOOR_EVERY_S = 1_500.0
DOOR_OPEN_S = 150.0


@dataclass(frozen=True, kw_only=True)
class DeviceReport:
    """A report of a device about a moment. Times are seconds since 1970."""

    identifier: str
    number: int
    measured_at: float
    lon_deg: float
    lat_deg: float
    altitude_m: float
    accuracy_m: float
    speed_mps: float
    course_deg: float
    battery_percent: float
    readings: dict[str, Reading] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Transmission:
    """Reports that are sent together at `due_at`; `fate` is their fault on the way, if any."""

    due_at: float
    wire_format: str
    reports: tuple[DeviceReport, ...]
    fate: str = "prompt"


@dataclass(frozen=True, kw_only=True)
class AssetKind:
    """A kind of tracked asset, and the properties of its device.

    `share` is its part of the fleet's reports; `can_store` is true if the device keeps reports
    that it could not send; `stop_s` is the least and the longest duration of a stop.
    """

    name: str
    asset_kind: str
    wire_format: str
    share: float
    accuracy_m: float
    can_store: bool
    cruise_mps: float = 0.0
    set_point_c: float | None = None
    stop_s: tuple[float, float] = (90, 300)


# An asset stands at the ramp to be loaded, long enough to be found resting without a speed.
_LOADING_S = (600, 1_500)

KINDS = (
    AssetKind(name="Van", asset_kind="vehicle", wire_format="osmand", share=2.0,
         accuracy_m=5, can_store=True, cruise_mps=24),
    AssetKind(name="Reefer", asset_kind="trailer", wire_format="ttn", share=0.7,
         accuracy_m=9, can_store=False, cruise_mps=21, set_point_c=4.0, stop_s=_LOADING_S),
    AssetKind(name="Truck", asset_kind="vehicle", wire_format="traccar", share=1.6,
         accuracy_m=4, can_store=True, cruise_mps=22),
    AssetKind(name="Courier", asset_kind="person", wire_format="owntracks", share=1.2,
         accuracy_m=11, can_store=True, cruise_mps=11),
    AssetKind(name="Container", asset_kind="container", wire_format="chirpstack", share=0.5,
         accuracy_m=18, can_store=False, cruise_mps=19, set_point_c=-18.0,
         stop_s=_LOADING_S),
    AssetKind(name="Service car", asset_kind="vehicle", wire_format="osmand", share=2.0,
         accuracy_m=6, can_store=True, cruise_mps=17),
    AssetKind(name="Cold room", asset_kind="room", wire_format="json", share=0.3,
         accuracy_m=3, can_store=True, set_point_c=2.5),
    AssetKind(name="Crane", asset_kind="machine", wire_format="json", share=0.5,
         accuracy_m=4, can_store=True, cruise_mps=4),
)  # fmt: skip

ROUTES = (
    ("Koper", "Divača", "Postojna", "Ljubljana"),
    ("Trieste", "Sežana", "Postojna", "Vrhnika", "Ljubljana"),
    ("Rijeka", "Ilirska Bistrica", "Postojna", "Logatec"),
    ("Pula", "Rovinj", "Poreč"),
    ("Monfalcone", "Trieste", "Koper", "Buzet", "Pazin"),
    ("Poreč", "Višnjan", "Pazin", "Labin"),
    ("Ljubljana", "Škofja Loka", "Kranj"),
    ("Gorizia", "Sežana", "Divača"),
    ("Opatija", "Rijeka", "Labin", "Pula"),
    ("Ljubljana", "Novo mesto"),
    ("Cerknica", "Logatec", "Vrhnika"),
)


@dataclass(frozen=True, kw_only=True)
class SimulatedDevice:
    """A device on its asset. Its members decide all of its reports."""

    identifier: str
    asset_name: str
    kind: AssetKind
    journey: Journey
    interval_s: float
    phase_s: float
    seed: str


def make_fleet(
    *, assets: int, rate: float, seed: int, tracks: Sequence[Sequence[TrackPoint]] = ()
) -> list[SimulatedDevice]:
    """Return a fleet that makes about `rate` reports a second in all."""
    kinds = [KINDS[index % len(KINDS)] for index in range(assets)]
    shares = sum(kind.share for kind in kinds)
    fleet = []
    for index, kind in enumerate(kinds):
        chance = random.Random(f"{seed}:{index}")
        device = SimulatedDevice(
            identifier=identifier_of(index, kind.wire_format),
            asset_name=f"{kind.name} {index // len(KINDS) + 1:02d}",
            kind=kind,
            journey=_journey(index, kind, chance, tracks),
            interval_s=shares / (rate * kind.share),
            phase_s=chance.uniform(0, 10_000),
            seed=f"{seed}:{index}",
        )
        fleet.append(device)
    return fleet


def identifier_of(index: int, wire_format: str) -> str:
    """Return the identifier of a device: a DevEUI for LoRaWAN, user and device for OwnTracks."""
    if wire_format in ("ttn", "chirpstack"):
        return f"a84041{index + 1:010x}"
    if wire_format == "owntracks":
        return f"courier/phone-{index + 1:04d}"
    return f"sim-{index + 1:04d}"


def _journey(
    index: int, kind: AssetKind, chance: random.Random, tracks: Sequence[Sequence[TrackPoint]]
) -> Journey:
    route = ROUTES[index % len(ROUTES)]
    if kind.cruise_mps == 0:
        return Parked(_yard(route[-1], chance))
    if kind.name == "Crane":
        yard = _yard(route[0], chance)
        stops = [yard, moved(yard, east_m=220, north_m=60), moved(yard, east_m=90, north_m=-180)]
        return Shuttle(stops, cruise_mps=kind.cruise_mps, stop_s=90, chance=chance)
    # The first courier and the first service car follow recorded tracks.
    recorded = {3: 1, 5: 0}.get(index)
    if recorded is not None and recorded < len(tracks):
        return RecordedJourney(tracks[recorded])
    stops = [_yard(name, chance) for name in route]
    cruise_mps = kind.cruise_mps * chance.uniform(0.85, 1.1)
    return Shuttle(stops, cruise_mps=cruise_mps, stop_s=chance.uniform(*kind.stop_s), chance=chance)


def _yard(name: str, chance: random.Random) -> LonLat:
    """Return a random point near the middle of a place, so that assets do not all park there."""
    return moved(PLACES[name], east_m=chance.gauss(0, 130), north_m=chance.gauss(0, 130))


# --- the reports of a device -------------------------------------------------------


def reports(device: SimulatedDevice, since: float) -> Iterator[DeviceReport]:
    """Yield all reports of the device from `since` on, in the order of its own clock."""
    chance = random.Random(f"{device.seed}:reports")
    box = ColdBox(device.kind.set_point_c, chance) if device.kind.set_point_c is not None else None
    charge = chance.uniform(55, 100)
    first = since + chance.uniform(0.1, 1.1) * device.interval_s
    for number in count():
        jitter_s = chance.uniform(-0.1, 0.1) * device.interval_s
        measured_at = round(first + number * device.interval_s + jitter_s, 3)
        # A function of the time only, so that a restarted fleet continues where it was.
        motion = device.journey.at(measured_at + device.phase_s)
        charge = charge - device.interval_s / 1_800 if charge > 8 else 100.0
        readings = box.readings(device.interval_s, motion) if box else {}
        yield _noisy(device, number, measured_at, motion, charge, readings, chance)


def _noisy(
    device: SimulatedDevice,
    number: int,
    measured_at: float,
    motion: Movement,
    charge: float,
    readings: dict[str, Reading],
    chance: random.Random,
) -> DeviceReport:
    """Add the noise of a receiver: 68 % of its fixes lie within its stated accuracy."""
    # Now and then a fix among tall buildings.
    is_bad = chance.random() < 0.01
    accuracy_m = device.kind.accuracy_m * chance.uniform(0.7, 1.6) * (12 if is_bad else 1)
    # In a two-dimensional normal distribution, 68 % lies within 1.51 sigma.
    sigma_m = accuracy_m / 1.51
    lon_deg, lat_deg = moved(
        (motion.lon_deg, motion.lat_deg),
        east_m=chance.gauss(0, sigma_m),
        north_m=chance.gauss(0, sigma_m),
    )
    is_resting = motion.is_resting
    speed_mps = 0.0 if is_resting else max(0.0, motion.speed_mps + chance.gauss(0, 0.4))
    return DeviceReport(
        identifier=device.identifier,
        number=number,
        measured_at=measured_at,
        lon_deg=round(lon_deg, 7),
        lat_deg=round(lat_deg, 7),
        altitude_m=round(motion.altitude_m + chance.gauss(0, 1.5 * accuracy_m / 5), 1),
        accuracy_m=round(accuracy_m, 1),
        speed_mps=round(speed_mps, 2),
        course_deg=round((motion.course_deg + chance.gauss(0, 3)) % 360, 1) % 360,
        battery_percent=round(charge, 1),
        readings=readings,
    )


class ColdBox:
    """The air in an insulated box: cooled to its set point, warmed through an open door."""

    def __init__(self, set_point_c: float, chance: random.Random) -> None:
        self._set_point_c = set_point_c
        self._chance = chance
        self._air_c = set_point_c + chance.gauss(0, 0.4)
        self._door_open_s = 0.0

    def readings(self, passed_s: float, motion: Movement) -> dict[str, Reading]:
        """Let `passed_s` seconds pass and return the readings of the sensors."""
        self._door_open_s = max(0.0, self._door_open_s - passed_s)
        if motion.is_resting and self._chance.random() < passed_s / DOOR_EVERY_S:
            self._door_open_s = self._chance.expovariate(1 / DOOR_OPEN_S)
        is_open = self._door_open_s > 0
        target_c, slowness_s = (AMBIENT_C, 900.0) if is_open else (self._set_point_c, 400.0)
        self._air_c += (target_c - self._air_c) * (1 - math.exp(-passed_s / slowness_s))
        self._air_c += self._chance.gauss(0, 0.05)
        humidity = 62 + (20 if is_open else 0) + self._chance.gauss(0, 1.2)
        return {
            "air.temperature": round(self._air_c, 2),
            "air.humidity": round(min(100.0, humidity), 1),
            "contact": "open" if is_open else "closed",
        }


# --- transmissions and their faults ----------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Faults:
    """The frequencies of faults on the way, as shares of the reports."""

    missing: float = 0.01
    repeated: float = 0.02
    delayed: float = 0.02
    shadow: float = 0.004
    shadow_reports: tuple[int, int] = (6, 25)


NO_FAULTS = Faults(missing=0, repeated=0, delayed=0, shadow=0)


def transmissions(
    device: SimulatedDevice,
    since: float,
    faults: Faults = Faults(),
) -> Iterator[Transmission]:
    """Yield the device's transmissions in the order in which they reach the network."""
    waiting: list[tuple[float, int, Transmission]] = []
    order = count()
    for made_at, caused in _transmissions_by_report(device, since, faults):
        # No report is sent before it is made, so all that is due before this report is in order.
        while waiting and waiting[0][0] <= made_at:
            yield heapq.heappop(waiting)[2]
        for transmission in caused:
            heapq.heappush(waiting, (transmission.due_at, next(order), transmission))


def _transmissions_by_report(
    device: SimulatedDevice, since: float, faults: Faults
) -> Iterator[tuple[float, list[Transmission]]]:
    """Yield, for each report, when it was made and the transmissions that it causes."""
    chance = random.Random(f"{device.seed}:faults")
    stored: list[DeviceReport] = []
    shadow_left = 0
    for report in reports(device, since):
        if shadow_left == 0 and chance.random() < faults.shadow:
            shadow_left = chance.randint(*faults.shadow_reports)
        prompt = Transmission(
            due_at=report.measured_at,
            wire_format=device.kind.wire_format,
            reports=(report,),
        )
        if shadow_left:
            shadow_left -= 1
            stored.append(report)
            kept = stored if shadow_left == 0 and device.kind.can_store else []
            yield report.measured_at, _stored_transmissions(prompt, kept)
            stored = [] if shadow_left == 0 else stored
        else:
            yield report.measured_at, _with_faults(prompt, device, faults, chance)


def _stored_transmissions(last: Transmission, stored: Sequence[DeviceReport]) -> list[Transmission]:
    """Return the transmissions of stored reports after a radio shadow: one if the format allows."""
    if not stored:
        return []
    if last.wire_format == "json":
        return [replace(last, reports=tuple(stored), fate="stored")]
    return [
        replace(last, reports=(report,), due_at=last.due_at + 0.05 * place, fate="stored")
        for place, report in enumerate(stored)
    ]


def _with_faults(
    prompt: Transmission, device: SimulatedDevice, faults: Faults, chance: random.Random
) -> list[Transmission]:
    luck = chance.random()
    if luck < faults.missing:
        return []
    if luck < faults.missing + faults.repeated:
        again = replace(prompt, due_at=prompt.due_at + chance.uniform(1, 20), fate="repeated")
        return [prompt, again]
    if luck < faults.missing + faults.repeated + faults.delayed:
        # Long enough to be overtaken by the device's next reports.
        late_s = chance.uniform(1.2, 8) * device.interval_s
        return [replace(prompt, due_at=prompt.due_at + late_s, fate="delayed")]
    return [prompt]


def all_transmissions(
    fleet: Iterable[SimulatedDevice],
    since: float,
    faults: Faults = Faults(),
) -> Iterator[Transmission]:
    """Yield the transmissions of the whole fleet, by the time at which they are due."""
    streams = [transmissions(device, since, faults) for device in fleet]
    return heapq.merge(*streams, key=lambda transmission: transmission.due_at)
