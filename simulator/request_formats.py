"""Reports in the wire formats of real senders: pure functions from reports to requests.

Written from the senders' documentation, not from our decoders, so that encoder and decoder do
not share a misunderstanding.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from simulator.fleet import DeviceReport, Transmission

KNOTS_PER_MPS = 1.943844
# The session of a LoRaWAN device; constant, since simulated devices never rejoin.
SESSION_KEY_ID = "AYfzLXCBzRaJLBuBFKwjZg=="


@dataclass(frozen=True, kw_only=True)
class Request:
    """An HTTP request without the server's address; `target` begins with a slash."""

    method: str
    target: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def requests_of(transmission: Transmission, token: str) -> list[Request]:
    """Return the requests of a transmission: a single one if the format allows, or one a report."""
    if transmission.wire_format == "json":
        return [_own_json(transmission.reports, token)]
    request_of = _FORMATS[transmission.wire_format]
    return [request_of(report, token) for report in transmission.reports]


def _post(wire_format: str, token: str, body: Any, *, query: str = "") -> Request:
    return Request(
        method="POST",
        target=f"/ingest/{wire_format}/{quote(token, safe='')}{query}",
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        headers={"Content-Type": "application/json"},
    )


def _iso(seconds: float, *, digits: int = 3, zone: str = "Z") -> str:
    whole, part = divmod(round(seconds * 1_000_000), 1_000_000)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{part:06d}".ljust(digits, "0")[:digits]
    return f"{text}.{fraction}{zone}"


def _unique(report: DeviceReport) -> str:
    """Return a UUID of the report, the same in each repeat."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{report.identifier}/{report.measured_at}"))


# --- our own JSON -----------------------------------------------------------------


def _own_json(reports: Sequence[DeviceReport], token: str) -> Request:
    positions = [_position(report) for report in reports]
    return _post("json", token, positions[0] if len(positions) == 1 else {"positions": positions})


def _position(report: DeviceReport) -> dict[str, Any]:
    return {
        "device": report.identifier,
        "measured_at": _iso(report.measured_at),
        "lat": report.lat_deg,
        "lon": report.lon_deg,
        "altitude_m": report.altitude_m,
        "accuracy_m": report.accuracy_m,
        "speed_mps": report.speed_mps,
        "course_deg": report.course_deg,
        "readings": {"battery.level": report.battery_percent, **report.readings},
    }


# --- phones and cellular ------------------------------------------------------------


def _osmand(report: DeviceReport, token: str) -> Request:
    """Return the request of an OsmAnd client: half of the apps are old, half use the new SDK."""
    is_new_client = sum(report.identifier.encode()) % 2 == 0
    return _osmand_json(report, token) if is_new_client else _osmand_query(report, token)


def _osmand_query(report: DeviceReport, token: str) -> Request:
    query = urlencode(
        {
            "id": report.identifier,
            "lat": report.lat_deg,
            "lon": report.lon_deg,
            "timestamp": round(report.measured_at * 1000),
            "altitude": report.altitude_m,
            "speed": round(report.speed_mps * KNOTS_PER_MPS, 3),
            "bearing": report.course_deg,
            "accuracy": report.accuracy_m,
            "batt": report.battery_percent,
        }
    )
    return Request(method="POST", target=f"/ingest/osmand/{quote(token, safe='')}?{query}")


def _osmand_json(report: DeviceReport, token: str) -> Request:
    is_moving = report.speed_mps > 0
    location = {
        "timestamp": _iso(report.measured_at),
        "coords": {
            "latitude": report.lat_deg,
            "longitude": report.lon_deg,
            "accuracy": report.accuracy_m,
            "speed": report.speed_mps if is_moving else -1,
            "heading": report.course_deg if is_moving else -1,
            "altitude": report.altitude_m,
        },
        "is_moving": is_moving,
        "odometer": 0,
        "uuid": _unique(report),
        "event": "motionchange",
        "activity": {"type": "in_vehicle" if is_moving else "still", "confidence": 100},
        "battery": {"is_charging": False, "level": round(report.battery_percent / 100, 3)},
        "extras": {},
    }
    return _post("osmand", token, {"location": location, "device_id": report.identifier})


def _owntracks(report: DeviceReport, token: str) -> Request:
    """Return a request of OwnTracks: the token in HTTP Basic, without members that are zero."""
    message = {
        "_type": "location",
        "topic": f"owntracks/{report.identifier}",
        "tid": report.identifier[-2:],
        "lat": report.lat_deg,
        "lon": report.lon_deg,
        "tst": round(report.measured_at),
        "acc": round(report.accuracy_m),
        "alt": round(report.altitude_m),
        "vel": round(report.speed_mps * 3.6),
        "cog": round(report.course_deg),
        "batt": round(report.battery_percent),
        "bs": 1,
        "conn": "m",
        "t": "t",
        "m": 2,
    }
    kept = {
        name: value
        for name, value in message.items()
        if value != 0 or name not in ("acc", "alt", "vel", "cog")
    }
    basic = base64.b64encode(f"sim:{token}".encode()).decode()
    return Request(
        method="POST",
        target="/ingest/owntracks",
        body=json.dumps(kept).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Basic {basic}"},
    )


def _traccar(report: DeviceReport, token: str) -> Request:
    fix_time = _iso(report.measured_at, zone="+00:00")
    position = {
        # Traccar never reuses a number, so neither may a restarted simulator.
        "id": round(report.measured_at * 1000),
        "deviceId": 1,
        "protocol": "teltonika",
        "serverTime": _iso(report.measured_at + 0.4, zone="+00:00"),
        "deviceTime": fix_time,
        "fixTime": fix_time,
        "valid": True,
        "latitude": report.lat_deg,
        "longitude": report.lon_deg,
        "altitude": report.altitude_m,
        "speed": round(report.speed_mps * KNOTS_PER_MPS, 4),
        "course": report.course_deg,
        "accuracy": report.accuracy_m,
        "address": None,
        "attributes": {
            "batteryLevel": report.battery_percent,
            "ignition": report.speed_mps > 0,
            "motion": report.speed_mps > 0,
        },
    }
    device = {"id": 1, "uniqueId": report.identifier, "name": report.identifier, "status": "online"}
    return _post("traccar", token, {"position": position, "device": device})


# --- LoRaWAN network servers ----------------------------------------------------------


def _ttn(report: DeviceReport, token: str) -> Request:
    """Return an uplink of The Things Stack; its protobuf JSON leaves out zero values."""
    received_at = _iso(report.measured_at + 0.7, digits=9)
    uplink = {
        "session_key_id": SESSION_KEY_ID,
        "f_port": 2,
        "f_cnt": report.number,
        "frm_payload": base64.b64encode(_payload(report)).decode(),
        "decoded_payload": _decoded(report),
        "normalized_payload": [_normalized(report)],
        "rx_metadata": [
            {
                "gateway_ids": {"gateway_id": "sim-gateway", "eui": "B827EBFFFE000001"},
                "time": _iso(report.measured_at + 0.2, digits=6),
                "rssi": -91,
                "channel_rssi": -91,
                "snr": 7.5,
                "received_at": received_at,
            }
        ],
        "settings": {
            "data_rate": {
                "lora": {"bandwidth": 125000, "spreading_factor": 8, "coding_rate": "4/5"}
            },
            "frequency": "868300000",
            "time": _iso(report.measured_at + 0.2, digits=6),
        },
        "received_at": received_at,
        "consumed_airtime": "0.102912s",
    }
    if report.number == 0:
        del uplink["f_cnt"]
    body = {
        "end_device_ids": {
            "device_id": f"eui-{report.identifier}",
            "application_ids": {"application_id": "cold-chain"},
            "dev_eui": report.identifier.upper(),
            "join_eui": "0000000000000000",
            "dev_addr": "260B1234",
        },
        "correlation_ids": [f"as:up:{_ulid(report)}"],
        "received_at": _iso(report.measured_at + 0.8, digits=9),
        "uplink_message": uplink,
    }
    return _post("ttn", token, body)


def _ulid(report: DeviceReport) -> str:
    return base64.b32encode(uuid.UUID(_unique(report)).bytes).decode().rstrip("=")


def _payload(report: DeviceReport) -> bytes:
    """Return bytes that differ from uplink to uplink, like a real payload."""
    values = (round(report.lat_deg * 1e6), round(report.lon_deg * 1e6), report.number)
    return b"".join((value & 0xFFFFFFFF).to_bytes(4, "big") for value in values)


def _decoded(report: DeviceReport) -> dict[str, Any]:
    decoded = {
        "latitude": report.lat_deg,
        "longitude": report.lon_deg,
        "altitude": report.altitude_m,
        "accuracy": report.accuracy_m,
        "battery": report.battery_percent,
        "time": _iso(report.measured_at),
    }
    names = {"air.temperature": "temperature", "air.humidity": "humidity"}
    known = {names[name]: value for name, value in report.readings.items() if name in names}
    return decoded | known


def _normalized(report: DeviceReport) -> dict[str, Any]:
    air = {
        "temperature": report.readings.get("air.temperature"),
        "relativeHumidity": report.readings.get("air.humidity"),
    }
    measurement: dict[str, Any] = {
        "time": _iso(report.measured_at),
        "battery": round(3.0 + report.battery_percent / 100 * 0.65, 2),
        "position": {"latitude": report.lat_deg, "longitude": report.lon_deg},
        "air": {name: value for name, value in air.items() if value is not None},
    }
    if "contact" in report.readings:
        measurement["action"] = {"contactState": report.readings["contact"]}
    return measurement


def _chirpstack(report: DeviceReport, token: str) -> Request:
    body = {
        "deduplicationId": _unique(report),
        "time": _iso(report.measured_at + 0.5, digits=9, zone="+00:00"),
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "tenantName": "Port",
            "applicationId": "17c82e96-be03-4f38-aef3-f83d48582d97",
            "applicationName": "Containers",
            "deviceProfileId": "14855bf7-d10d-4aee-b618-ebfcb64dc7ad",
            "deviceProfileName": "Container tracker",
            "deviceName": report.identifier,
            "devEui": report.identifier,
            "tags": {},
        },
        "devAddr": "00189440",
        "dr": 4,
        "fCnt": report.number,
        "fPort": 2,
        "data": base64.b64encode(_payload(report)).decode(),
        "object": _decoded(report),
        "rxInfo": [
            {
                "gatewayId": "0016c001f153a14c",
                "uplinkId": report.number + 1,
                "nsTime": _iso(report.measured_at + 0.4, digits=9, zone="+00:00"),
                "rssi": -102,
                "snr": 3.8,
                "context": "E3OWOQ==",
                "crcStatus": "CRC_OK",
            }
        ],
        "txInfo": {
            "frequency": 868100000,
            "modulation": {
                "lora": {"bandwidth": 125000, "spreadingFactor": 8, "codeRate": "CR_4_5"}
            },
        },
    }
    if report.number == 0:
        del body["fCnt"]
    return _post("chirpstack", token, body, query="?event=up")


_FORMATS: dict[str, Callable[[DeviceReport, str], Request]] = {
    "osmand": _osmand,
    "owntracks": _owntracks,
    "traccar": _traccar,
    "ttn": _ttn,
    "chirpstack": _chirpstack,
}
