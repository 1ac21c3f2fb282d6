"""Readings in decoded payloads: words of names, units, status words, guesses, lists, channels."""

from __future__ import annotations

from typing import Any

import pytest

from core.observation import Scans
from tests.wire.uplinks import NOON, decoded, only, ttn_uplink
from wire.payloads.member_names import words_of
from wire.payloads.payload_reader import PayloadReading, read_payload
from wire.payloads.reading_rules import concepts_of


def read(payload: Any) -> PayloadReading:
    return read_payload(payload, now=NOON)


def readings_of(payload: Any) -> dict[str, Any]:
    return dict(read(payload).main.readings)


def reasons_of(payload: Any) -> dict[str, str]:
    return {member.path_text: member.reason for member in read(payload).members}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("BatV", ("bat", "v")),
        ("batmV", ("bat", "mv")),
        ("TempC_DS", ("temp", "c", "ds")),
        ("NoGNSSFix", ("no", "gnss", "fix")),
        ("GNSSerror", ("gnss", "error")),
        ("temperature_chn1", ("temperature", "chn", "1")),
        ("Humidity(%)", ("humidity", "%")),
        ("relativehumidity", ("relative", "humidity")),
        ("doorstatus2", ("door", "status", "2")),
        ("CO_2", ("co2",)),
        ("attempts", ("attempts",)),
        ("lastknownlocation", ("last", "known", "location")),
        ("battery-voltage (mV)", ("battery", "voltage", "mv")),
        ("x" * 65, ()),
        ("temperature" * 3, ("temperature" * 3,)),
    ],
)
def test_a_name_is_cut_into_words(name, words):
    assert words_of(name) == words


@pytest.mark.field("S-36")
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        # battery
        ({"battery": 87}, {"battery.level": 87}),
        ({"Bat": 3.6}, {"battery.voltage": 3.6}),
        ({"batt": "3.9"}, {"battery.voltage": 3.9}),
        ({"battery": "3320 mV"}, {"battery.voltage": 3.32}),
        ({"battery": "3.1V(low battery)"}, {"battery.voltage": 3.1}),
        ({"Battery level": {"value": 3.29, "unit": "Volt"}}, {"battery.voltage": 3.29}),
        ({"voltage": 3.6}, {"battery.voltage": 3.6}),
        ({"voltage": 3600}, {"battery.voltage": 3.6}),
        ({"vdd": 3001}, {"battery.voltage": 3.001}),
        ({"supply_voltage": 2987}, {"battery.voltage": 2.987}),
        ({"batteryVoltage": 3600}, {"battery.voltage": 3.6}),
        ({"batteryCapacity": 90}, {"battery.level": 90}),
        ({"battery(%)": 55}, {"battery.level": 55}),
        ({"battery_level": 3.6}, {"battery.voltage": 3.6}),
        ({"bat_mv": "3600"}, {"battery.voltage": 3.6}),
        ({"header": {"batteryLevel": 80}}, {"battery.level": 80}),
        ({"device_status": {"battery_voltage": 3.1}}, {"battery.voltage": 3.1}),
        ({"battery": {"voltage": 3.6, "level": 80}}, {"battery.voltage": 3.6, "battery.level": 80}),
        ({"vsys_V": 2.9}, {"battery.voltage": 2.9}),
        ({"isCharging": "yes"}, {"battery.charging": True}),
        # temperature and humidity
        ({"sensors": {"temperature": "21,5 °C"}}, {"air.temperature": 21.5}),
        ({"TempC_DS": 4.5}, {"air.temperature": 4.5}),
        ({"externalTemperature": 4}, {"air.temperature": 4}),
        ({"probe_temperature": 4}, {"air.temperature": 4}),
        ({"temperature_chn1": 4}, {"air.temperature.1": 4}),
        ({"currentTemperature": 4}, {"air.temperature": 4}),
        ({"temperature_f": 86}, {"air.temperature": pytest.approx(30)}),
        ({"temp": {"value": 294.15, "unit": "K"}}, {"air.temperature": 21.0}),
        ({"room_temperature": 219.0}, {"air.temperature": 21.9}),
        ({"Température": 20}, {"air.temperature": 20}),
        ({"mcu_temperature": 30}, {"device.temperature": 30}),
        ({"device_status": {"temperature": {"avg": 30}}}, {"device.temperature": 30}),
        ({"avg_temperature": 9, "temperature": 8}, {"air.temperature": 8}),
        ({"humi": 40}, {"air.humidity": 40}),
        ({"RHUM": 41}, {"air.humidity": 41}),
        ({"room_humidity": 412}, {"air.humidity": 41.2}),
        ({"airtemp": 5}, {"air.temperature": 5}),
        ({"temperature2_C": 5}, {"air.temperature": 5}),
        ({"temp_f_1": 86}, {"air.temperature": pytest.approx(30)}),
        # air, light
        ({"pressure": 1013.2, "hum": 20}, {"air.pressure": 1013.2, "air.humidity": 20}),
        ({"pressure_kPa": 101.3}, {"air.pressure": 1013.0}),
        ({"air_pressure": 101_300}, {"air.pressure": 1013.0}),
        ({"CO2": "542"}, {"air.co2": 542}),
        ({"Light Intensity": 300}, {"light": 300}),
        ({"brightness": 40}, {"light": 40}),
        ({"light_level": 4}, {"light": 4}),
        ({"light": 0}, {"light": 0}),
        ({"lux": 0.4}, {"light": 0.4}),
        # motion
        ({"motion_status": "moving"}, {"motion.detected": True}),
        ({"motion": "not moving"}, {"motion.detected": False}),
        ({"pir": 1}, {"motion.detected": True}),
        ({"motion": 4}, {"motion.detected": True}),
        ({"occupancy": "vacant"}, {"motion.detected": False}),
        ({"presence": {"value": True, "unit": "bool"}}, {"motion.detected": True}),
        ({"inTrip": True}, {"motion.detected": True}),
        ({"pirTriggerCount": 7}, {"motion.count": 7}),
        # contact, leak, tamper, emergency
        ({"door": 1}, {"contact": "open"}),
        ({"open": 0}, {"contact": "closed"}),
        ({"door_closed": True}, {"contact": "closed"}),
        ({"reed_state": 1}, {"contact": "open"}),
        ({"reed_switch_state": "Magnet Absent"}, {"contact": "open"}),
        ({"door_state": "not open"}, {"contact": "closed"}),
        ({"leakage_status": "leak"}, {"leak": True}),
        ({"WaterLeak": "NoLeak"}, {"leak": False}),
        ({"flood": "dry"}, {"leak": False}),
        ({"water": 1}, {"leak": True}),
        ({"water_leak_alarm": "normal"}, {"leak": False}),
        ({"tamper_status": "uninstalled"}, {"tamper": True}),
        ({"boxTamper": 0}, {"tamper": False}),
        ({"manDown": True}, {"sos": True}),
        ({"sos": "no"}, {"sos": False}),
        # acceleration, tilt, distance
        ({"acceleration": {"x": 0.1, "y": 0, "z": 1}},
         {"acceleration.x": 0.1, "acceleration.y": 0, "acceleration.z": 1}),
        ({"accelerationX": 0, "accelerationY": 0, "accelerationZ": 1000},
         {"acceleration.x": 0, "acceleration.y": 0, "acceleration.z": 1}),
        ({"acc_x_g": 3, "acc_y": 3}, {"acceleration.x": 3}),
        ({"shock": {"value": 2500, "unit": "mg"}}, {"shock": 2.5}),
        ({"angle_x": 16.5}, {"angle.x": 16.5}),
        ({"tiltAngle": 9}, {"tilt.pitch": 9}),
        ({"odometer_km": 12}, {"odometer": 12_000}),
    ],
)  # fmt: skip
def test_a_quantity_is_known_by_its_common_names(sent, expected):
    found = readings_of(sent)

    assert {name: value for name, value in found.items() if name in expected} == expected
    assert all(name in expected or name.startswith("custom.") for name in found)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"temperature_alarm": 5}, "'alarm' is in its name"),
        ({"temperature": {"threshold": 5}}, "no known quantity"),
        ({"alarm": {"temperature": 5}}, "'alarm' is in its name"),
        ({"min_temperature": 5}, "'min' is in its name"),
        ({"temperature_target": 5}, "'target' is in its name"),
        ({"deltaTemperature": 5}, "'delta' is in its name"),
        ({"motion_enable": True}, "'enable' is in its name"),
        ({"valve_temperature": 5}, "'valve' is in its name"),
        ({"tamper_count": 5}, "count and tamper is no quantity"),
        ({"waterTemperature": 5}, "temperature and water is no quantity"),
        ({"soil": {"temperature": 5}}, "not of the air: 'soil'"),
        ({"some_odd_temperature": 5}, "'some, odd' is not understood"),
        ({"temp_probe": 85}, "a probe's sign of an error"),
        ({"TempC_DS": -127}, "a probe's sign of an error"),
        ({"temperature": 900}, "no unit, and out of the range of its customary one"),
        ({"temperature": {"value": 900, "unit": "C"}}, "out of its range"),
        ({"temperature": {"value": 9, "unit": "%"}}, "% is no unit of it"),
        ({"temperature": "error"}, "not a number"),
        ({"temperature": [1, 2]}, "a list"),
        ({"battery": 3}, "no unit, and out of the range of its customary one"),
        ({"battery": 500}, "no unit, and out of the range of its customary one"),
        ({"battery_voltage": 36}, "no unit, and out of the range of its customary one"),
        ({"battery": {"value": 5, "unit": "furlong"}}, "? is no unit of it"),
        ({"voltage": 12}, "whose voltage is not said"),
        ({"voltage": "230 V"}, "whose voltage is not said"),
        ({"ac_voltage": 230}, "whose voltage is not said"),
        ({"voltage": 3.6, "current": 4}, "beside a current or a power: not the battery's"),
        ({"pressure": 943}, "a pressure without a unit: not said of what"),
        ({"light": 0.5}, "no unit, and out of the range of its customary one"),
        ({"motion": {"value": 330, "unit": "s"}}, "neither true nor false"),
        ({"motion": "unavailable"}, "neither true nor false"),
        ({"motion": "no data"}, "neither true nor false"),
        ({"occupancy": 5}, "neither true nor false"),
        ({"motion": -5}, "neither true nor false"),
        ({"contact": True}, "neither open nor closed"),
        ({"door": "ajar"}, "neither open nor closed"),
        ({"motion_count": -1}, "not a count"),
        ({"acceleration": [1, 2]}, "a list"),
        ({"acceleration": [1, 2, "x"]}, "a list"),
        ({"acceleration": [5, 5, 5, 5]}, "a list"),
        ({"acceleration": [40, 40, 40]}, "no unit"),
        ({"acceleration_x": 3}, "no unit"),
        ({"odometer": 12}, "no unit"),
        ({"level": 5}, "level is no quantity"),
        ({"temperature": {"count": 5}}, "count is no quantity"),
        ({"open_some": 1}, "'some' is not understood"),
        ({"x" * 65: 5}, "its name or value is too long"),
    ],
)
def test_what_is_not_certain_stays_as_sent_with_the_reason(sent, reason):
    assert next(iter(reasons_of(sent).values())) == reason
    assert all(
        name.startswith("custom.") or name == "air.temperature.2" for name in readings_of(sent)
    )


def test_the_concepts_of_a_name_are_known_whatever_else_it_says():
    assert concepts_of("temp_alarm_battery") == {"temperature", "battery"}


def test_three_axes_of_no_gravity_are_left():
    sent = {"acc_x": 40, "acc_y": 40, "acc_z": 40}

    assert readings_of(sent) == {"custom.acc_x": 40, "custom.acc_y": 40, "custom.acc_z": 40}


@pytest.mark.field("S-33")
@pytest.mark.parametrize(
    "vector", [[0.1, 0.2, 0.97], [100, 200, 970], {"value": [0.1, 0.2, 0.97], "unit": "g"}]
)
def test_a_vector_is_three_readings(vector):
    assert readings_of({"accelerationVector": vector}) == {
        "acceleration.x": pytest.approx(0.1),
        "acceleration.y": pytest.approx(0.2),
        "acceleration.z": pytest.approx(0.97),
    }


def test_a_vector_beyond_any_acceleration_is_no_reading():
    assert readings_of({"acceleration_g": [100, 100, 100]}) == {
        "custom.acceleration_g": "[100,100,100]"
    }


@pytest.mark.field("S-30")
def test_an_emergency_may_be_the_text_of_an_event():
    status = {"measurementId": "4200", "type": "Event Status"}
    sent = {"messages": [[status | {"measurementValue": [{"id": 7, "eventName": "SOS event."}]}]]}

    assert readings_of(sent)["sos"] is True


@pytest.mark.parametrize("said", ["no sos", "shock event.", "s" * 65])
def test_another_event_is_no_emergency(said):
    assert "sos" not in readings_of({"eventName": said})


@pytest.mark.field("S-31")
def test_values_of_one_type_are_readings_by_their_channel():
    measured = [
        {"measurementId": "4999", "type": "Temperature", "measurementValue": 20 + int(n),
         "measurementChannel": n}
        for n in (1, 2.0, "3")
    ]  # fmt: skip

    assert readings_of({"messages": measured}) == {
        "air.temperature.1": 21,
        "air.temperature.2": 22,
        "air.temperature.3": 23,
    }


def test_an_unknown_measurement_goes_by_its_own_name_and_channel():
    measured = [
        {"name": "pH", "value": 7.1, "channel": 2},
        {"name": "pH", "value": 7.2, "channel": 2},
        {"name": "ORP", "value": {"deep": 1}},
        {"name": "EC", "value": 4, "unit": "mS"},
    ]

    assert readings_of({"data": measured}) == {
        "custom.pH.2": 7.1,
        "custom.data.1.value": 7.2,
        "custom.data.2.value.deep": 1,
        "custom.EC": 4,
        "custom.data.3.unit": "mS",
    }


def test_the_places_of_a_list_of_sensors_are_channels_and_of_records_are_not():
    both = [{"temperature": 5}, {"temperature": 6}]

    assert readings_of({"sensors": both}) == {"air.temperature.1": 5, "air.temperature.2": 6}
    assert readings_of({"readings": both}) == {
        "air.temperature": 5,
        "custom.readings.1.temperature": 6,
    }


def test_a_second_probe_has_a_number():
    assert readings_of({"TempC_SHT": 20, "TempC_DS": 4, "TempC_Ext": 5}) == {
        "air.temperature": 20,
        "air.temperature.2": 4,
        "air.temperature.3": 5,
    }


def test_a_value_that_is_said_twice_is_one_reading():
    found = read({"door": "Closed", "magnet_status": "close"})

    assert found.main.readings == {"contact": "closed"}
    assert [member.reading for member in found.members] == ["contact", "contact"]


def test_a_mixed_list_keeps_all_its_values():
    assert readings_of({"log": [1, {"a": 2}, [3]]}) == {
        "custom.log.0": 1,
        "custom.log.1.a": 2,
        "custom.log.2": "[3]",
    }


def test_a_unit_beside_its_value_decides():
    sent = {"temperature": 86, "temperature_unit": "°F", "flow": 3, "flowUnit": "l/h", "unit": 5}

    assert readings_of(sent) == {
        "air.temperature": 30.0,
        "custom.flow": 3,
        "custom.flowUnit": "l/h",
        "custom.unit": 5,
    }


@pytest.mark.parametrize("kind", ["Configuration", "settingsReport", "downlink_response"])
def test_a_message_of_settings_gives_no_readings(kind):
    assert readings_of({"message_type": kind, "temperature": 20, "battery": 80}) == {
        "custom.message_type": kind,
        "custom.temperature": 20,
        "custom.battery": 80,
    }


def test_members_without_a_value_are_settled_as_empty():
    found = read({"a": None, "b": "", "c": [], "d": {}})

    assert found.main.readings == {}
    assert {member.fate for member in found.members} == {"empty"}


def test_long_paths_lose_their_first_steps():
    sent = {"decoded": {"result": {"x" * 55: 5}}}

    assert readings_of(sent) == {f"custom.{'x' * 55}": 5}


def test_canonical_readings_come_before_what_is_custom():
    sent = {f"n{place}": place for place in range(100)} | {"temperature": 7}

    found = decoded("ttn", ttn_uplink(sent))

    assert only(found).readings["air.temperature"] == 7
    assert len(only(found).readings) == 64
    assert found.notes["dropped_readings"][-1].startswith("and ")


def test_more_canonical_readings_than_fit_are_dropped_too():
    found = read({"sensors": [{"temperature": place} for place in range(80)]})

    assert len(found.main.readings) == 64
    assert [member.fate for member in found.members].count("dropped") == 16


def test_a_guess_is_noted_with_the_uplink():
    found = decoded("ttn", ttn_uplink({"battery": 3.6, "odd_temperature": 5}))

    assert found.notes["guessed"] == {
        "battery.voltage": "no unit: volts, since below 6 with decimals",
        "air.temperature": "'odd' in its name is not understood",
    }


def test_a_list_of_radios_without_addresses_is_no_scan():
    found = read({"wifi": [{"rssi": -50}], "beacons": [{"mac": "A1:B2:C3:D4:E5:F6"}]})

    assert isinstance(found.scans, Scans)
    assert (len(found.scans.wifi), len(found.scans.bluetooth)) == (0, 1)
    assert found.main.readings == {"custom.wifi.0.rssi": -50}
