"""Units as codecs spell them, and their conversion to the canonical unit of a dimension."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from wire.quantities import number, number_of_text

Dimension = Literal[
    "temperature", "ratio", "pressure", "concentration", "illuminance", "voltage",
    "acceleration", "angle", "length", "speed", "time", "other",
]  # fmt: skip


class Unit(Struct, frozen=True):
    """Canonical is (value + `shift`) * `multiplier` / `divisor`: exact where decimals allow."""

    name: str
    dimension: Dimension
    multiplier: float = 1
    divisor: float = 1
    shift: float = 0

    def canonical(self, value: float) -> float:
        if self.multiplier == self.divisor and not self.shift:
            return value
        found = (value + self.shift) * self.multiplier / self.divisor
        return round(found, 9) if self.shift else found


CELSIUS = Unit("°C", "temperature")
PERCENT = Unit("%", "ratio")
VOLT, MILLIVOLT = Unit("V", "voltage"), Unit("mV", "voltage", 1, 1000)
HECTOPASCAL, PASCAL = Unit("hPa", "pressure"), Unit("Pa", "pressure", 1, 100)
LUX = Unit("lx", "illuminance")
PPM = Unit("ppm", "concentration")
G, MILLI_G = Unit("g", "acceleration"), Unit("mg", "acceleration", 1, 1000)
METRE_PER_SECOND_SQUARED = Unit("m/s²", "acceleration", 1, 9.80665)
DEGREE = Unit("°", "angle")
_UNITS: dict[Unit, str] = {
    CELSIUS: "°c ℃ c cel celsius degc deg_c degreec degreecelsius degreescelsius ºc",
    Unit("°F", "temperature", 5, 9, -32): "°f ℉ f fahrenheit degf degreefahrenheit ºf",
    Unit("K", "temperature", 1, 1, -273.15): "k kelvin",
    PERCENT: "% %rh rh %el percent pct perc percentage %relhum %r.h. %r.h",
    VOLT: "v volt volts vdc v(dc)",
    MILLIVOLT: "mv millivolt millivolts mvolt",
    HECTOPASCAL: "hpa mbar mb millibar hectopascal",
    PASCAL: "pa pascal",
    Unit("kPa", "pressure", 10, 1): "kpa kilopascal",
    LUX: "lx lux",
    PPM: "ppm",
    G: "g gee",
    MILLI_G: "mg millig",
    METRE_PER_SECOND_SQUARED: "m/s2 m/s² m/s^2 mps2 ms2",
    DEGREE: "° deg degree degrees º",
    Unit("m", "length"): "m metre meter metres meters",
    Unit("km", "length", 1000, 1): "km kilometre kilometer",
    Unit("cm", "length", 1, 100): "cm",
    Unit("mm", "length", 1, 1000): "mm",
    Unit("ft", "length", 0.3048, 1): "ft feet",
    Unit("m/s", "speed"): "m/s mps ms-1 meterpersecond",
    Unit("km/h", "speed", 1, 3.6): "km/h kmh kph kmph",
    Unit("kn", "speed", 1852, 3600): "kn kt knot knots kts",
    Unit("mph", "speed", 0.44704, 1): "mph",
    Unit("cm/s", "speed", 1, 100): "cm/s cms cmps",
    Unit("s", "time"): "s sec seconds second",
    Unit("ms", "time", 1, 1000): "ms milliseconds",
    Unit("min", "time", 60, 1): "min minutes minute",
    Unit("h", "time", 3600, 1): "h hours hour",
    # Known, so that nothing else is made of them.
    Unit("?", "other"): "ma a mah w kw kwh wh va var ohm hz db dbm l ml ppb ug/m3 µg/m3 psi"
    " kg lb bar pulses mmhg inhg dbspl rpm mm/s l/h m3 m³ m3/h m³/h mj j",
}
_BY_SPELLING = {spelling: unit for unit, text in _UNITS.items() for spelling in text.split()}
_IN_NAMES = (
    "c celsius degc f fahrenheit °c °f ℃ ℉ % pct percent perc percentage v volt volts mv "
    "millivolt hpa mbar pa kpa ppm lx lux g mg m km cm mm kmh kph kmph mps knots kn mph "
    "cms ma mah w kw kwh wh hz db dbm ohm ° deg degrees ppb"
)
# As the last word of a name: `temp_c`, `batV`, `Humidity(%)`. Words alone are no units here.
UNITS_IN_NAMES: dict[str, Unit] = {
    spelling: _BY_SPELLING[spelling] for spelling in _IN_NAMES.split()
}
_NO_UNITS = frozenset({"", "-", "none", "null", "bool", "boolean", "string", "int", "float", "n/a",
                       "number", "raw"})  # fmt: skip
UNKNOWN_UNIT = Unit("?", "other")
_NUMBER_AND_UNIT = re.compile(
    r"\s*([+-]?\d{1,15}(?:[.,]\d{1,15})?)\s*([^\d\s(][^(]{0,15}?)?\s*(\([^)]*\))?\s*"
)


@lru_cache(maxsize=1_024)
def unit_called(text: str) -> Unit | None:
    """Return the unit that a text spells; None where it says that there is none."""
    spelled = re.sub(r"\s+", "", text[:32]).lower()
    if spelled in _NO_UNITS:
        return None
    return _BY_SPELLING.get(spelled, UNKNOWN_UNIT)


def number_and_unit(value: object) -> tuple[float | None, Unit | None]:
    """Return the number in a JSON number or a text like `3.4 V`, `21,5 °C`, `3.1V(low)`."""
    if not isinstance(value, str):
        return number(value), None
    found = number_of_text(value)
    if found is not None:
        return _integer_where_whole(value, found), None
    match = _NUMBER_AND_UNIT.fullmatch(value[:64])
    if match is None:
        return None, None
    digits = match[1].replace(",", ".")
    return _integer_where_whole(digits, float(digits)), unit_called(match[2] or "")


def _integer_where_whole(text: str, found: float) -> float:
    """Keep whole numbers whole: whether decimals were sent helps to guess a unit."""
    return int(found) if found == int(found) and "." not in text else found
