"""Serializers of geofences: the accepted inputs and the answered rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import shapely
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from shapely.geometry import mapping

from accounts.models import Organisation
from core.errors import Fault, Unprocessable
from core.rest.bodies import StrictBody
from core.rest.fields import InstantField, NameField, OperableField
from geofence import limits
from geofence.actions import JUDGING_FIELDS
from geofence.containment import effective_max_accuracy_m
from geofence.models import GeofenceVersion
from geofence.shape_checks import Shape, pointing_into, refuse
from geofence.shape_simplifying import simplification_offer
from geofence.shapes import shape_of_geojson

GEOMETRY_SCHEMA = {
    "type": "object",
    "properties": {"type": {"type": "string"}, "coordinates": {"type": "array", "items": {}}},
    "required": ["type", "coordinates"],
}
SHAPE_SCHEMA = {
    "type": "object",
    "description": "polygon, multipolygon, circle (`center`, `radius_m`) or corridor (`width_m`)",
    "properties": {
        "type": {"type": "string", "enum": ["polygon", "multipolygon", "circle", "corridor"]},
        "coordinates": {"type": "array", "items": {}},
        "center": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        "radius_m": {"type": "number"},
        "width_m": {"type": "number"},
    },
    "required": ["type"],
}


class NumberField(serializers.FloatField):
    """A finite number. Text, true and false are refused."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float) or not math.isfinite(data):
            raise serializers.ValidationError("A number is required.", code="not-a-number")
        return super().to_internal_value(data)


@extend_schema_field(GEOMETRY_SCHEMA)
class GeometryField(serializers.JSONField):
    pass


@extend_schema_field(SHAPE_SCHEMA)
class ShapeField(serializers.JSONField):
    pass


class JudgingInput(StrictBody, serializers.Serializer[Any]):
    """Judging options, all of them optional."""

    accuracy_cap_m = NumberField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=1e6,
        help_text="accuracy counts up to this; null for half the inradius",
    )
    max_accuracy_m = NumberField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=1e6,
        help_text="coarser fixes decide nothing; null for a default by the size of the area",
    )
    persist_fixes = serializers.IntegerField(required=False, min_value=1, max_value=100)
    persist_s = NumberField(required=False, min_value=0, max_value=86_400)
    judges_pass_through = serializers.BooleanField(required=False)
    max_gap_s = NumberField(required=False, min_value=0, max_value=86_400)
    floor_m = NumberField(required=False, allow_null=True, min_value=-1e4, max_value=1e5)
    ceiling_m = NumberField(required=False, allow_null=True, min_value=-1e4, max_value=1e5)
    asset_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        max_length=10_000,
    )
    tags = serializers.ListField(child=NameField(max_length=64), required=False, max_length=64)

    def judging(self) -> dict[str, Any]:
        return {
            name: self.validated_data[name]
            for name in JUDGING_FIELDS
            if name in self.validated_data
        }


class VersionInput(JudgingInput):
    """A new version: a shape as drawn, or GeoJSON `geometry`, or judging alone."""

    shape = ShapeField(required=False)
    geometry = GeometryField(required=False, help_text="GeoJSON Polygon or MultiPolygon")
    valid_from = InstantField(required=False)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("type") == "Feature":
            properties = data.get("properties")
            # Members of our own may stand beside the properties, too (RFC 7946, section 6.1).
            beside = {name: data[name] for name in self.fields if name in data}
            # Other programs have properties of their own, which are no mistakes.
            known = properties if isinstance(properties, dict) else {}
            data = {
                **{name: known[name] for name in known if name in self.fields},
                **beside,
                "geometry": data.get("geometry"),
            }
            data.pop("shape", None)
        for name in ("shape", "geometry"):
            # The member may be missing, but not null.
            if isinstance(data, Mapping) and name in data and data[name] is None:
                refuse("geometry-invalid", f"The {name} is null.", f"/{name}")
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "shape" in attrs and "geometry" in attrs:
            raise serializers.ValidationError({"geometry": "Send shape or geometry, not both."})
        return attrs

    def is_redrawing(self) -> bool:
        return bool(self.judging()) or bool(
            self.validated_data.keys() & {"shape", "geometry", "valid_from"}
        )

    def drawn_shape(self) -> Shape | None:
        """Return the shape as drawn. Raises `Unprocessable` if `geometry` is not GeoJSON."""
        if "geometry" in self.validated_data:
            with pointing_into("/geometry"):
                return shape_of_geojson(self.validated_data["geometry"])
        drawn: Shape | None = self.validated_data.get("shape")
        return drawn


class GeofenceInput(VersionInput):
    organisation = OperableField(queryset=Organisation.objects.all())
    name = NameField(max_length=200)
    colour = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "shape" not in attrs and "geometry" not in attrs:
            raise serializers.ValidationError({"shape": "A geofence needs a shape."})
        return super().validate(attrs)


class GeofenceChange(VersionInput):
    name = NameField(max_length=200, required=False)
    colour = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", required=False)


class JudgingRow(StrictBody, serializers.ModelSerializer[GeofenceVersion]):
    class Meta:
        model = GeofenceVersion
        fields = (
            "max_accuracy_m",
            "persist_fixes",
            "persist_s",
            "judges_pass_through",
            "max_gap_s",
        )
        read_only_fields = fields


class PresetInput(StrictBody, serializers.Serializer[Any]):
    interval_s = serializers.FloatField(min_value=1, max_value=31_536_000)
    inradius_m = serializers.FloatField(
        min_value=0,
        max_value=1e7,
        required=False,
        help_text="of the geofence, for `max_accuracy_m`",
    )


class SimplifyInput(VersionInput):
    max_points = serializers.IntegerField(
        min_value=4, max_value=limits.SHAPE_POINTS, default=limits.SHAPE_POINTS
    )


class SimplifiedRow(StrictBody, serializers.Serializer[Any]):
    shape = ShapeField()
    tolerance_m = serializers.FloatField(help_text="no point drawn is further from the new line")
    points = serializers.IntegerField()


class PointInput(StrictBody, serializers.Serializer[Any]):
    lon_deg = NumberField(min_value=-180, max_value=180)
    lat_deg = NumberField(min_value=-90, max_value=90)
    accuracy_m = NumberField(min_value=0, max_value=1e6, required=False, allow_null=True)


class ContainmentRow(StrictBody, serializers.Serializer[Any]):
    containment = serializers.ChoiceField(["inside", "outside", "unsure"])
    is_inside = serializers.BooleanField(help_text="the point itself; the edge is inside")
    distance_m = serializers.FloatField(
        allow_null=True, help_text="to the edge, negative outside; null where there is no edge"
    )
    accuracy_counted_m = serializers.FloatField(help_text="after the cap of the geofence")
    version = serializers.IntegerField()


class DeletionInput(StrictBody, serializers.Serializer[Any]):
    dry_run = serializers.BooleanField(default=False)


class DependentRow(StrictBody, serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class DependentsRow(StrictBody, serializers.Serializer[Any]):
    """The objects that end with a geofence."""

    rules = DependentRow(many=True)


class VersionRow(StrictBody, serializers.ModelSerializer[GeofenceVersion]):
    shape = ShapeField(read_only=True)
    geometry = serializers.SerializerMethodField(help_text="the area that is judged")
    accuracy_cap_effective_m = serializers.SerializerMethodField(
        help_text="with its default filled in"
    )
    max_accuracy_effective_m = serializers.SerializerMethodField(
        help_text="with its default filled in"
    )
    is_replaced = serializers.SerializerMethodField(help_text="held at no time in the end")

    class Meta:
        model = GeofenceVersion
        fields = (
            "id",
            "shape",
            "geometry",
            "inradius_m",
            "accuracy_cap_effective_m",
            "max_accuracy_effective_m",
            *JUDGING_FIELDS,
            "valid_from",
            "valid_to",
            "is_replaced",
            "recorded_at",
        )
        read_only_fields = fields

    @extend_schema_field(GEOMETRY_SCHEMA)
    def get_geometry(self, version: GeofenceVersion) -> dict[str, Any]:
        return geometry_of(version)

    def get_accuracy_cap_effective_m(self, version: GeofenceVersion) -> float:
        return effective_cap_m(version)

    def get_max_accuracy_effective_m(self, version: GeofenceVersion) -> float:
        return effective_max_accuracy_m(version)

    def get_is_replaced(self, version: GeofenceVersion) -> bool:
        return bool(version.valid_to == version.valid_from)


class GeofenceRow(VersionRow):
    """A geofence by its version in force; `version` is the id of the version."""

    id = serializers.IntegerField(source="geofence_id", read_only=True)
    organisation = serializers.IntegerField(source="geofence.organisation_id", read_only=True)
    name = serializers.CharField(source="geofence.name", read_only=True)
    colour = serializers.CharField(source="geofence.colour", read_only=True)
    created_at = serializers.DateTimeField(source="geofence.created_at", read_only=True)
    version = serializers.IntegerField(source="pk", read_only=True)

    class Meta:
        model = GeofenceVersion
        fields = (
            "id",
            "organisation",
            "name",
            "colour",
            "shape",
            "geometry",
            "inradius_m",
            "accuracy_cap_effective_m",
            "max_accuracy_effective_m",
            *JUDGING_FIELDS,
            "version",
            "valid_from",
            "valid_to",
            "created_at",
        )
        read_only_fields = fields


def geometry_of(version: GeofenceVersion) -> dict[str, Any]:
    """Return the judged area as GeoJSON."""
    return dict(mapping(shapely.from_wkb(bytes(version.area.wkb))))


def effective_cap_m(version: GeofenceVersion) -> float:
    """Return the accuracy cap with its default filled in: half the inradius."""
    cap_m = version.accuracy_cap_m
    return float(version.inradius_m / 2.0 if cap_m is None else cap_m)


@contextmanager
def faults_as_sent(body: Any) -> Iterator[None]:
    """Make faults of the shape point to the member that was sent; offer a simpler shape."""
    sent = body if isinstance(body, Mapping) else {}
    name = "/geometry" if "geometry" in sent else "/shape"
    try:
        yield
    except Unprocessable as error:
        faults = tuple(
            Fault(pointer=renamed(fault.pointer, name), code=fault.code, detail=fault.detail)
            for fault in error.faults
        )
        more = _offer(sent) if error.code == "too-many-points" else ""
        raise Unprocessable(error.detail + more, code=error.code, faults=faults) from error


def renamed(pointer: str, name: str) -> str:
    is_of_shape = pointer == "/shape" or pointer.startswith("/shape/")
    return name + pointer.removeprefix("/shape") if is_of_shape else pointer


def _offer(sent: Mapping[str, Any]) -> str:
    try:
        return simplification_offer(
            shape_of_geojson(sent["geometry"]) if "geometry" in sent else sent["shape"]
        )
    except Unprocessable:
        return ""
