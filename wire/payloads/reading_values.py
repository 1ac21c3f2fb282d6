"""The value of a member for its reading, by unit; where none is stated, a guess by its range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from core.observation import Value
from wire.payloads import units
from wire.payloads.reading_rules import NameMeaning, ReadingRule
from wire.payloads.status_words import said_openness, said_truth
from wire.payloads.units import Unit, number_and_unit, unit_called
from wire.quantities import is_probe_error


class ValueFound(Struct, frozen=True):
    """A reading with its value, or the reason for which the member stays as sent (no reading).

    `guess` says what was assumed, where the sender did not state it.
    """

    reading: str | None = None
    value: Value | None = None
    guess: str = ""
    reason: str = ""


_DIMENSIONS = {
    "temperature": "temperature", "humidity": "ratio", "pressure": "pressure",
    "co2": "concentration", "light": "illuminance", "lux": "illuminance",
    "battery.level": "ratio", "battery.voltage": "voltage", "voltage": "voltage",
    "length": "length", "acceleration": "acceleration", "angle": "angle",
}  # fmt: skip
# The range of a sensor's values, canonical. What is beyond is of another unit, or an error.
_RANGES = {
    "temperature": (-90, 250), "humidity": (0, 100), "pressure": (300, 1200), "co2": (0, 100_000),
    "light": (0, 250_000), "lux": (0, 250_000), "battery.level": (0, 100),
    "battery.voltage": (0.5, 60), "voltage": (0, 500), "length": (0, 1e10),
    "acceleration": (-64, 64), "angle": (-360, 360),
}  # fmt: skip


def value_of(
    meaning: NameMeaning, rule: ReadingRule, value: Any, stated_unit: str | None
) -> ValueFound:
    """Return the reading of a member's value; `stated_unit` is the text of a unit beside it."""
    if rule.kind == "flag":
        return _flag(rule, value, stated_unit)
    if rule.kind in ("open", "closed", "reed", "contact"):
        return _contact(rule, value)
    number, unit_of_text = number_and_unit(value)
    if number is None:
        return ValueFound(reason="not a number")
    if rule.kind == "temperature" and meaning.is_probe and is_probe_error(number):
        return ValueFound(reason="a probe's sign of an error")
    unit = (stated_unit and unit_called(stated_unit)) or unit_of_text or meaning.unit
    if rule.kind == "count":
        return _count(rule, number, unit)
    if unit is not None:
        return _with_unit(rule, number, unit)
    return _GUESSES[rule.kind](rule, number, meaning)


def declared_value(rule: ReadingRule, value: Any, unit: str | None) -> ValueFound:
    """Return the value of a member whose reading is declared, in canonical units if none is."""
    number = number_and_unit(value)[0]
    canonical = _RANGES.get(rule.kind)
    if unit or number is None or canonical is None:
        return value_of(NameMeaning(), rule, value, unit)
    is_possible = canonical[0] <= number <= canonical[1]
    return ValueFound(rule.reading, number) if is_possible else ValueFound(reason=_OUT.reason)


def _flag(rule: ReadingRule, value: Any, stated_unit: str | None) -> ValueFound:
    unit = stated_unit and unit_called(stated_unit)
    found = None if unit else said_truth(value)
    if found is None and not unit and rule.reading == "motion.detected" and rule.is_alarm:
        count = number_and_unit(value)
        if count[1] is None and count[0] is not None and count[0] > 1:
            return ValueFound(rule.reading, True, "a number above 1 taken as motion")
    if found is None:
        return ValueFound(reason="neither true nor false")
    return ValueFound(rule.reading, found)


def _contact(rule: ReadingRule, value: Any) -> ValueFound:
    said = said_openness(value) if isinstance(value, str) else None
    if said is not None:
        return ValueFound("contact", said)
    found = said_truth(value)
    if found is None or rule.kind == "contact":
        return ValueFound(reason="neither open nor closed")
    is_open = found != (rule.kind == "closed")
    guess = "1 taken as open" if rule.kind == "reed" else ""
    return ValueFound("contact", "open" if is_open else "closed", guess)


def _count(rule: ReadingRule, number: float, unit: Unit | None) -> ValueFound:
    if unit is not None or number < 0 or number != int(number):
        return ValueFound(reason="not a count")
    return ValueFound(rule.reading, int(number))


def _with_unit(rule: ReadingRule, number: float, unit: Unit) -> ValueFound:
    kind: str = rule.kind
    if kind.startswith("battery"):
        # The unit decides over the name: a battery level in volts is a voltage.
        kind = {"ratio": "battery.level", "voltage": "battery.voltage"}.get(unit.dimension, "")
    if _DIMENSIONS.get(kind) != unit.dimension:
        return ValueFound(reason=f"{unit.name} is no unit of it")
    reading = kind if kind.startswith("battery") else rule.reading
    found = unit.canonical(number)
    low, high = _RANGES[kind]
    if not low <= found <= high:
        return ValueFound(reason="out of its range")
    if kind == "voltage" and rule.reading == "battery.voltage":
        return _bare_voltage_in_volts(found)
    return ValueFound(reading, found)


def _bare_voltage_in_volts(volts: float) -> ValueFound:
    if 0.5 <= volts < 6:
        return ValueFound("battery.voltage", volts, "a voltage below 6 V taken as the battery's")
    return ValueFound(reason="whose voltage is not said")


_Guess = Callable[[ReadingRule, float, NameMeaning], ValueFound]
_OUT = ValueFound(reason="no unit, and out of the range of its customary one")


def _customary(kind: str) -> _Guess:
    """Read numbers of quantities that have one customary unit: no guess."""
    low, high = _RANGES[kind]

    def read(rule: ReadingRule, number: float, meaning: NameMeaning) -> ValueFound:
        return ValueFound(rule.reading, number) if low <= number <= high else _OUT

    return read


def _guess_temperature(rule: ReadingRule, number: float, meaning: NameMeaning) -> ValueFound:
    is_whole = number == int(number)
    if meaning.names_air and is_whole and 125 < number <= 700:
        return ValueFound(rule.reading, number / 10, "no unit: tenths of a degree, since a room")
    return _customary("temperature")(rule, number, meaning)


def _guess_humidity(rule: ReadingRule, number: float, meaning: NameMeaning) -> ValueFound:
    if number == int(number) and 100 < number <= 1000:
        return ValueFound(rule.reading, number / 10, "no unit and above 100: tenths of a per cent")
    return _customary("humidity")(rule, number, meaning)


def _guess_pressure(rule: ReadingRule, number: float, meaning: NameMeaning) -> ValueFound:
    if 30_000 <= number <= 120_000:
        return ValueFound(rule.reading, units.PASCAL.canonical(number), "no unit: pascals by range")
    return _customary("pressure")(rule, number, meaning)


def _guess_light(rule: ReadingRule, number: float, meaning: NameMeaning) -> ValueFound:
    low, high = _RANGES["light"]
    if number != 0 and not max(low, 1) <= number <= high:
        return _OUT
    return ValueFound(rule.reading, number, "no unit: taken as lx")


def _guess_battery(rule: ReadingRule, number: float, meaning: NameMeaning) -> ValueFound:
    """Guess by the value: volts below 6 with decimals, per cent, millivolts above 1,000."""
    if number != int(number) and 0.5 <= number < 6:
        return ValueFound("battery.voltage", number, "no unit: volts, since below 6 with decimals")
    if 1_000 <= number <= 30_000:
        volts = units.MILLIVOLT.canonical(number)
        return ValueFound("battery.voltage", volts, "no unit: millivolts, since above 1,000")
    if number == 0 or 5 < number <= 100:
        return ValueFound("battery.level", number, "no unit: per cent, since up to 100")
    return _OUT


def _guess_battery_level(rule: ReadingRule, number: float, meaning: NameMeaning) -> ValueFound:
    if number == int(number) or number >= 6:
        return _customary("battery.level")(rule, number, meaning)
    return _guess_battery(rule, number, meaning)


def _guess_battery_voltage(rule: ReadingRule, number: float, meaning: NameMeaning) -> ValueFound:
    if 0.5 <= number <= 30:
        return ValueFound("battery.voltage", number)
    if 1_000 <= number <= 60_000:
        volts = units.MILLIVOLT.canonical(number)
        return ValueFound("battery.voltage", volts, "no unit: millivolts, since above 1,000")
    return _OUT


def _guess_voltage(rule: ReadingRule, number: float, meaning: NameMeaning) -> ValueFound:
    if rule.reading != "battery.voltage":
        return ValueFound(reason="whose voltage is not said")
    if 1_000 <= number < 6_000:
        guess = "no unit, no name: millivolts of the battery by range"
        return ValueFound("battery.voltage", units.MILLIVOLT.canonical(number), guess)
    return _bare_voltage_in_volts(number)


def _guess_angle(rule: ReadingRule, number: float, meaning: NameMeaning) -> ValueFound:
    return _customary("angle")(rule, number, meaning)


def _needs_unit(rule: ReadingRule, number: float, meaning: NameMeaning) -> ValueFound:
    return ValueFound(reason="no unit")


_GUESSES: dict[str, _Guess] = {
    "temperature": _guess_temperature,
    "humidity": _guess_humidity,
    "pressure": _guess_pressure,
    "co2": _customary("co2"),
    "lux": _customary("lux"),
    "light": _guess_light,
    "battery": _guess_battery,
    "battery.level": _guess_battery_level,
    "battery.voltage": _guess_battery_voltage,
    "voltage": _guess_voltage,
    "length": _needs_unit,
    "acceleration": _needs_unit,
    "angle": _guess_angle,
}
# Unit of an acceleration by the length of its vector: at rest it is that of gravity.
_GRAVITY = (
    (0.7, 1.4, units.G),
    (700, 1_400, units.MILLI_G),
    (7, 14, units.METRE_PER_SECOND_SQUARED),
)


def acceleration_unit(axes: tuple[float, float, float]) -> Unit | None:
    """Return the unit in which a vector of no stated unit has about the length of gravity."""
    length = sum(axis * axis for axis in axes) ** 0.5
    return next((unit for low, high, unit in _GRAVITY if low <= length <= high), None)
