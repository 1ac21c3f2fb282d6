"""Serializers of positions, tracks and re-judgings, and of the query parameters for them."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from drf_spectacular.utils import extend_schema_field
from numpy.typing import NDArray
from rest_framework import serializers

from accounts.models import User
from core.observation import ClockFault, Method, TimeSource, clock_fault, instant
from core.rest.bodies import StrictBody
from core.rest.fields import InstantField
from core.rest.geojson import feature
from core.time_texts import rfc3339
from positions.position_pages import MAX_ID
from positions.position_queries import FIX_NAMES, Period, PositionRow
from positions.track_simplifying import Fixes

# On a screen more points than this overlap each other.
POINTS_BY_DEFAULT = 2_000
MAX_POINTS = 10_000


def _optional_id() -> serializers.IntegerField:
    return serializers.IntegerField(required=False, min_value=0, max_value=MAX_ID)


class PeriodQuery(StrictBody, serializers.Serializer[Any]):
    to = InstantField(required=False, help_text="measured before then")

    def get_fields(self) -> dict[str, Any]:
        # `from` is a keyword of Python and cannot be declared above.
        since = InstantField(required=False, help_text="measured then or later")
        return {"from": since, **super().get_fields()}


class PositionQuery(PeriodQuery):
    device = _optional_id()
    asset = _optional_id()
    organisation = _optional_id()


class TrackQuery(PeriodQuery):
    max_points = serializers.IntegerField(
        default=POINTS_BY_DEFAULT, min_value=2, max_value=MAX_POINTS
    )
    tolerance_m = serializers.FloatField(
        default=0.0, min_value=0.0, max_value=1e6, help_text="fewer points where this is enough"
    )


class FixSerializer(StrictBody, serializers.Serializer[Any]):
    lon_deg = serializers.FloatField()
    lat_deg = serializers.FloatField()
    altitude_m = serializers.FloatField(allow_null=True)
    accuracy_m = serializers.FloatField(allow_null=True, help_text="68 % radius")
    speed_mps = serializers.FloatField(allow_null=True)
    course_deg = serializers.FloatField(allow_null=True, help_text="clockwise from north")
    method = serializers.ChoiceField(get_args(Method))


class BeaconSerializer(StrictBody, serializers.Serializer[Any]):
    mac = serializers.CharField()
    rssi_dbm = serializers.IntegerField(allow_null=True)


class CellSerializer(StrictBody, serializers.Serializer[Any]):
    mcc = serializers.IntegerField()
    mnc = serializers.IntegerField()
    area = serializers.IntegerField(help_text="location or tracking area")
    cell = serializers.IntegerField()
    rssi_dbm = serializers.IntegerField(allow_null=True)


class ScansSerializer(StrictBody, serializers.Serializer[Any]):
    """The radio that the device heard around it; a kind without any is left out."""

    wifi = BeaconSerializer(many=True, required=False)
    bluetooth = BeaconSerializer(many=True, required=False)
    cells = CellSerializer(many=True, required=False)


class PositionSerializer(StrictBody, serializers.Serializer[Any]):
    device = serializers.IntegerField()
    device_identifier = serializers.CharField()
    asset = serializers.IntegerField(allow_null=True, help_text="the device was on it then")
    measured_at = serializers.DateTimeField(help_text="by the clock that `time_source` names")
    received_at = serializers.DateTimeField(help_text="its first copy, by the server's clock")
    time_source = serializers.ChoiceField(get_args(TimeSource))
    fix = FixSerializer(allow_null=True)
    readings = serializers.DictField(help_text="canonical names and units, see the glossary")
    scans = ScansSerializer(allow_null=True)
    is_clock_suspect = serializers.BooleanField(help_text="no sane clock says this time")
    clock_fault = serializers.ChoiceField(
        get_args(ClockFault), allow_null=True, help_text="why `is_clock_suspect`"
    )


class TrackLineSerializer(StrictBody, serializers.Serializer[Any]):
    type = serializers.ChoiceField(["LineString"])
    coordinates = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        help_text="longitudes go on beyond 180 where the way crosses the antimeridian",
    )


class TrackPropertiesSerializer(StrictBody, serializers.Serializer[Any]):
    asset = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    fixes = serializers.IntegerField(help_text="before they were simplified")
    within_m = serializers.FloatField(help_text="no fix is farther from the line at its time")
    coordTimes = serializers.ListField(child=serializers.DateTimeField())  # noqa: N815


class TrackSerializer(StrictBody, serializers.Serializer[Any]):
    type = serializers.ChoiceField(["Feature"])
    id = serializers.IntegerField()
    geometry = TrackLineSerializer(allow_null=True, help_text="null without a fix")
    properties = TrackPropertiesSerializer()


def position_document(row: PositionRow) -> dict[str, Any]:
    has_fix = row.lon_deg is not None
    return {
        "device": row.device_id,
        "device_identifier": row.identifier,
        "asset": row.asset_id,
        "measured_at": rfc3339(row.measured_at),
        "received_at": rfc3339(row.received_at),
        "time_source": row.time_source,
        "fix": {name: getattr(row, name) for name in FIX_NAMES} if has_fix else None,
        "readings": row.readings,
        "scans": row.scans,
        "is_clock_suspect": row.is_clock_suspect,
        "clock_fault": clock_fault(row.measured_at, row.received_at),
    }


def position_feature(row: PositionRow) -> dict[str, Any]:
    point = None
    if row.lon_deg is not None:
        point = {"type": "Point", "coordinates": [row.lon_deg, row.lat_deg]}
    return feature(feature_id=None, geometry=point, properties=position_document(row))


def track_feature(
    asset_id: int, period: Period, fixes: Fixes, kept: NDArray[np.intp], within_m: float
) -> dict[str, Any]:
    assert period.since is not None, "a track has both ends"
    assert period.until is not None, "a track has both ends"
    if len(kept) == 1:
        # A line needs two points, even at the same place.
        kept = np.repeat(kept, 2)
    line = np.column_stack((fixes.lon_deg[kept], fixes.lat_deg[kept])).tolist()
    properties = {
        "asset": asset_id,
        "since": rfc3339(period.since),
        "until": rfc3339(period.until),
        "fixes": len(fixes),
        "within_m": round(within_m, 2),
        "coordTimes": [rfc3339(instant(at_us)) for at_us in fixes.at[kept].tolist()],
    }
    geometry = {"type": "LineString", "coordinates": line} if line else None
    return feature(feature_id=asset_id, geometry=geometry, properties=properties)


class CurrentAssetSerializer(StrictBody, serializers.Serializer[Any]):
    """The asset whose long history is judged in parts just now."""

    asset = serializers.IntegerField(source="current_asset_id")
    asset_name = serializers.CharField(source="current_asset_name")
    settled_until = serializers.DateTimeField(help_text="its history is judged up to then")
    measured_at = serializers.DateTimeField(
        source="current_measured_at", allow_null=True, help_text="where its history ends"
    )


class RejudgingSerializer(StrictBody, serializers.Serializer[Any]):
    """The progress of judging assets again after a changed fact."""

    id = serializers.IntegerField()
    organisation = serializers.IntegerField(source="organisation_id")
    reason = serializers.CharField()
    since = serializers.DateTimeField(help_text="nothing before then changes")
    state = serializers.SerializerMethodField()
    assets_total = serializers.IntegerField(
        allow_null=True, help_text="null until it is known, which is when the work begins"
    )
    assets_done = serializers.IntegerField()
    current = serializers.SerializerMethodField()
    asked_by_name = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_asked_by_name(self, row: Any) -> str | None:
        """The person who changed the fact; null if it is no person, as for late observations."""
        person: User | None = row.asked_by
        return (person.get_full_name() or person.get_username()) if person else None

    @extend_schema_field(serializers.ChoiceField(["waiting", "running", "finished"]))
    def get_state(self, row: Any) -> str:
        if row.finished_at:
            return "finished"
        return "running" if row.started_at else "waiting"

    @extend_schema_field(CurrentAssetSerializer(allow_null=True))
    def get_current(self, row: Any) -> dict[str, Any] | None:
        if row.current_asset_id is None or row.current_asset_name is None:
            return None
        return dict(CurrentAssetSerializer(row).data)
