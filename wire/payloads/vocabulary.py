"""The words of members' names in decoded payloads, as data.

A name is cut into words (`member_names`). A word stands for a concept (`temperature`), for a
context that narrows one (`water`), or for nothing that changes the meaning (`sensor`). A veto
word says that the member is no measurement of now: a limit, a setting, an extreme, a counter.
"""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _table(concepts: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {
        word: tuple(concept.split("+"))
        for concept, words in concepts.items()
        for word in words.split()
    }


# Concepts by word; several with a plus. Codecs are also written in other languages.
CONCEPTS = _table({
    "temperature": "temperature temperatures temp temps tem tmp temperatur temperatuur temperatura"
    " température thermometer",
    "humidity": "humidity hum humi rh rhum humidité humidite humedad umidità umidita feuchte"
    " luftfeuchtigkeit luftfeuchte luchtvochtigheid",
    "pressure": "pressure barometer barometric baro luftdruck luchtdruk pression",
    "co2": "co2",
    "lux": "lux lx illuminance illumination ill",
    "light": "light luminosity brightness helligkeit licht",
    "battery": "battery batteries bat batt batterie akku accu bateria batería batteria",
    "battery+voltage": "vbat vbatt vbattery",
    "voltage": "voltage volt volts vol vdd vcc vsys spannung",
    "level": "level lvl percentage percent pct perc capacity soc lifetime",
    "charging": "charging",
    "motion": "motion moving movement moved pir bewegung beweging mouvement intrip",
    "occupancy": "occupancy occupied presence occu",
    "door": "door window gate lid hatch",
    "reed": "reed magnet hall magnetic",
    "contact": "contact",
    "open": "open opened opening",
    "closed": "closed close",
    "leak": "leak leakage leaking leaks flood flooding waterleak waterleakage lekkage lek leckage"
    " fuite",
    "water": "water",
    "tamper": "tamper tampered tampering sabotage violation dismantled",
    "sos": "sos panic emergency mandown",
    "ignition": "ignition",
    "odometer": "odometer mileage",
    "shock": "shock shocks impact impacts vibration",
    "acceleration": "acceleration accelerations accelerometer accel acc accelero",
    "tilt": "tilt inclination",
    "angle": "angle angles",
    "pitch": "pitch", "roll": "roll", "x": "x", "y": "y", "z": "z",
    "count": "count cnt counter counts nb",
    "power": "power mains ac",
})  # fmt: skip

# Concepts that need another one, of their own name or of the object around them.
WEAK = frozenset({"voltage", "level", "count", "x", "y", "z", "charging", "angle"})

# Of these the quantity is that of the device and not of the air around it.
DEVICE_WORDS = word_set(
    "board ic chip mcu cpu internal device circuit pcb core processor onboard transmitter dev"
)
# The air, said expressly.
AIR_WORDS = word_set(
    "barometer barometric baro atmospheric luftdruck luchtdruk air ambient room indoor outdoor"
    " environment environmental luft lufttemperatur"
)
# Of these the quantity is of another matter, and stays custom.
OTHER_MATTER = word_set(
    "water soil surface pipe radiator machine forward return flow inlet outlet dew "
    "dewpoint leaf food oil fluid liquid gas tank floor radiant hot cold heat heating "
    "cooling skin body material oven coil exhaust engine coolant motor bulb globe ground "
    "wall slab tyre tire hydraulic steam absolute feels chimney flue"
)
PROBE_WORDS = word_set("probe external ext ds outside pt100 thermocouple remote")
CHANNEL_WORDS = word_set("channel ch chn chan port")

FILLERS = word_set(
    "sensor sensors value values val measured measurement measurements measure measures "
    "reading readings data current now actual latest cur status state flag detected "
    "detection detect is has in avg average mean main node report result output var "
    "payload decoded uplink message object relative supply instantaneous inst "
    "system visible intensity sht remaining numeric text trigger triggered info product "
    "axis vector history samples frames event events header datapoints timeseries "
    "telemetry degrees deg the of and thermostat monitor display accumulator cell real "
    "pack life tracker box"
) | DEVICE_WORDS | AIR_WORDS | PROBE_WORDS | CHANNEL_WORDS  # fmt: skip
# The places in such a list are channels.
LISTS_OF_SENSORS = word_set("sensor sensors probe probes channel channels port ports input inputs")
# A second choice beside the plain value.
SECOND_CHOICE = word_set("avg average mean report")
# Leaves with only such words mean what the object around them means.
GENERIC = word_set(
    "value val data measured reading status state current cur now actual avg average mean "
    "numeric text result flag detected is"
)

# Not for a flag that is the alarm itself: `tamper_alarm`, `leak_alert`.
SOFT_VETOES = word_set("alarm alarms alert alerts warning")
VETOES = SOFT_VETOES | word_set(
    "threshold thresholds limit limits target setpoint set setting settings delta diff "
    "difference min max minimum maximum peak cfg config configuration configured interval "
    "period enable enabled disable disabled error errors err fault faults failure failed "
    "fail raw adc valve valves relay hysteresis calibration calibrate calibrated offset "
    "version versions index id type unit units mode timeout duration time age delay rate "
    "ratio total sum accumulated factor resistance trend change changed mutation last "
    "previous prev cached old deviation variance rms crc hash checksum key serial "
    "schedule gain resolution range low high lo hi upper lower broken connected "
    "disconnected lost missing test reset reserved release downlink command cmd manual "
    "override correction compensation polynomial std stddev sigma quality accuracy lock "
    "assistance expected reference ref nominal full balance cover button pwm fan pump "
    "speed frequency freq band noise day night start stop end begin lpf budget scan scans"
)  # fmt: skip

# Words of places, of times and of a receiver's state.
PLACE_WORDS = {
    word: part
    for part, words in {
        "lat": "lat latitude lattitude latitud latidude latitute latitudine breitengrad",
        "lon": "lon lng long longitude longtitude longitud longitudine längengrad",
        "altitude": "altitude alt height elevation ele",
        "accuracy": "accuracy acc hacc epe ehpe posacc radius uncertainty",
        "speed": "speed velocity sog",
        "course": "heading course cog bearing direction azimuth",
        "hdop": "hdop",
        "satellites": "satellites satellite sats sat satcnt satcount numsat numsats numsv sv svs"
        " satnum nsat nsats",
    }.items()
    for word in words.split()
}
RECEIVER_WORDS = word_set(
    "gps gnss fix position pos location loc geo geolocation coordinate coordinates coords "
    "point wgs84 glonass"
)
PLACE_FILLERS = RECEIVER_WORDS | word_set(
    "deg degree degrees decimal value current device tracker over ground horizontal h n "
    "number of num used count cnt visible in is the view m"
)
STALE_WORDS = word_set("last previous prev cached old known stale outdated")
TIME_WORDS = word_set(
    "time timestamp timestamps ts date datetime utc clock isotime unixtime epoch utctime"
)
TIME_FILLERS = RECEIVER_WORDS | word_set(
    "device measured measurement at and unix iso s ms seconds milliseconds sec rtc sensor "
    "sample reading data logger datalogger frame current event record recorded captured "
    "created utc value day"
)
OTHER_WORDS = word_set(
    "ok valid invalid locked no not hygrometer rssi snr energy error errors active voc "
    "hcho tvoc noise sound pulse energy wifi ble bluetooth beacon beacons access points "
    "mac color mag gyro gyroscope people person firmware hardware software"
)
# All known words: a name without separators is cut along them.
KNOWN_WORDS = frozenset(CONCEPTS) | FILLERS | GENERIC | VETOES | OTHER_MATTER | frozenset(
    PLACE_WORDS
) | PLACE_FILLERS | STALE_WORDS | TIME_WORDS | TIME_FILLERS | OTHER_WORDS  # fmt: skip
