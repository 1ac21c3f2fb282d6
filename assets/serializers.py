"""Serializers of assets, devices, assignments and sources.

Fields that a request may set are listed; the others are read-only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from rest_framework import serializers

from accounts.models import Organisation
from assets.models import Asset, Assignment, Device, Source
from core.rest.bodies import StrictBody
from core.rest.fields import InstantField, NameField, OperableField
from wire.registry import FORMATS


class AssetSerializer(StrictBody, serializers.ModelSerializer[Asset]):
    organisation = OperableField(queryset=Organisation.objects)
    tags = serializers.ListField(child=NameField(max_length=64), max_length=64, required=False)
    tags_from = InstantField(
        write_only=True,
        required=False,
        help_text="from when the tags hold: by default now; for a new asset from the beginning",
    )
    expected_interval_s = serializers.IntegerField(min_value=1, max_value=31_536_000, default=300)

    class Meta:
        model = Asset
        fields: tuple[str, ...] = (
            "id",
            "organisation",
            "name",
            "kind",
            "tags",
            "tags_from",
            "expected_interval_s",
            "created_at",
            "archived_at",
        )
        read_only_fields = ("created_at", "archived_at")
        # A taken name is a 409 of the action, not a check by a query of the serializer.
        validators: list[Any] = []


class AssignmentSerializer(StrictBody, serializers.ModelSerializer[Assignment]):
    """The period is half-open: `since` belongs to it, `until` does not; null means still."""

    device = OperableField(queryset=Device.objects)
    asset = OperableField(queryset=Asset.objects)
    since = InstantField(source="during.lower", allow_null=True)
    until = InstantField(source="during.upper", allow_null=True, required=False)

    class Meta:
        model = Assignment
        fields: tuple[str, ...] = ("id", "device", "asset", "since", "until", "recorded_at")
        read_only_fields = ("recorded_at",)

    def validate_since(self, since: datetime | None) -> datetime:
        if since is None:
            raise serializers.ValidationError("`since` is required.", code="required")
        return since


class AssignmentEndSerializer(StrictBody, serializers.Serializer[Assignment]):
    until = InstantField()


class DeviceAssignmentSerializer(AssignmentSerializer):
    class Meta(AssignmentSerializer.Meta):
        fields: tuple[str, ...] = ("id", "asset", "since", "until", "recorded_at")


class DeviceSerializer(StrictBody, serializers.ModelSerializer[Device]):
    organisation = OperableField(queryset=Organisation.objects)
    assignments = DeviceAssignmentSerializer(many=True, read_only=True)

    class Meta:
        model = Device
        fields: tuple[str, ...] = (
            "id",
            "organisation",
            "identifier",
            "name",
            "model",
            "created_at",
            "assignments",
        )
        read_only_fields = ("created_at",)
        validators: list[Any] = []


class SourceSerializer(StrictBody, serializers.ModelSerializer[Source]):
    organisation = OperableField(queryset=Organisation.objects)
    device = OperableField(queryset=Device.objects, required=False, allow_null=True)

    class Meta:
        model = Source
        fields: tuple[str, ...] = (
            "id",
            "organisation",
            "name",
            "wire_format",
            "device",
            "unknown_devices",
            "prefix",
            "previous_valid_until",
            "created_at",
            "revoked_at",
        )
        read_only_fields = ("prefix", "previous_valid_until", "created_at", "revoked_at")
        validators: list[Any] = []

    def validate_wire_format(self, wire_format: str) -> str:
        if wire_format not in FORMATS:
            known = ", ".join(sorted(FORMATS))
            raise serializers.ValidationError(f"Known are: {known}.", code="wire-format-unknown")
        return wire_format


class SourceWithTokenSerializer(SourceSerializer):
    """A source as shown once: with its token, and the address for its sender."""

    token = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta(SourceSerializer.Meta):
        fields: tuple[str, ...] = (*SourceSerializer.Meta.fields, "token", "url")

    def get_token(self, source: Source) -> str:
        return str(self.context["token"])

    def get_url(self, source: Source) -> str:
        return ingest_url(source, self.context["token"])


def ingest_url(source: Source, token: str) -> str:
    """Return the address to which a sender of `source` posts."""
    return f"{settings.INGEST_URL}/ingest/{source.wire_format}/{token}"


class RotationSerializer(StrictBody, serializers.Serializer[Source]):
    overlap_s = serializers.IntegerField(
        min_value=0, max_value=30 * 86_400, default=86_400, help_text="the old token stays valid"
    )
