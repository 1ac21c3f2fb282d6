"""How who and what look in the REST API. What a request may set is listed; the rest is ours."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from assets.models import (
    ApiToken,
    Asset,
    Assignment,
    Device,
    Membership,
    Organisation,
    Source,
    User,
)
from assets.roles import places_of, role_of
from core.rest.fields import InstantField, ManageableField, OperableField
from wire.registry import FORMATS


class OrganisationSerializer(serializers.ModelSerializer[Organisation]):
    class Meta:
        model = Organisation
        fields: tuple[str, ...] = ("id", "name", "time_zone", "created_at")
        read_only_fields = ("created_at",)

    def validate_time_zone(self, time_zone: str) -> str:
        if time_zone not in zoneinfo.available_timezones():
            raise serializers.ValidationError("Not an IANA time zone.", code="time-zone-unknown")
        return time_zone


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    """A person is named by e-mail address; the address is all that others learn of them."""

    organisation = ManageableField(queryset=Organisation.objects)
    email = serializers.EmailField(source="user.email")
    name = serializers.SerializerMethodField(help_text="the address, or the log-in without one")
    user = serializers.PrimaryKeyRelatedField[User](read_only=True)
    role = serializers.ChoiceField(choices=Membership.Role.choices)

    class Meta:
        model = Membership
        fields: tuple[str, ...] = ("id", "organisation", "user", "name", "email", "role")

    def get_name(self, membership: Membership) -> str:
        return membership.user.email or membership.user.username


class RoleSerializer(serializers.ModelSerializer[Membership]):
    role = serializers.ChoiceField(choices=Membership.Role.choices)

    class Meta:
        model = Membership
        fields: tuple[str, ...] = ("role",)


class AssetSerializer(serializers.ModelSerializer[Asset]):
    organisation = OperableField(queryset=Organisation.objects)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=64, required=False
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
            "expected_interval_s",
            "created_at",
            "archived_at",
        )
        read_only_fields = ("created_at", "archived_at")
        # Taken names are a 409 by the action, not a hint of the serializer's own query.
        validators: list[Any] = []


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
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
            raise serializers.ValidationError("Say since when.", code="required")
        return since


class AssignmentEndSerializer(serializers.Serializer[Assignment]):
    until = InstantField()


class DeviceAssignmentSerializer(AssignmentSerializer):
    class Meta(AssignmentSerializer.Meta):
        fields: tuple[str, ...] = ("id", "asset", "since", "until", "recorded_at")


class DeviceSerializer(serializers.ModelSerializer[Device]):
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


class SourceSerializer(serializers.ModelSerializer[Source]):
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
    """As shown once: with the token, and the address that a sender posts to."""

    token = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta(SourceSerializer.Meta):
        fields: tuple[str, ...] = (*SourceSerializer.Meta.fields, "token", "url")

    def get_token(self, source: Source) -> str:
        return str(self.context["token"])

    def get_url(self, source: Source) -> str:
        return ingest_url(source, self.context["token"])


def ingest_url(source: Source, token: str) -> str:
    """Return the address that a sender of `source` posts to."""
    return f"{settings.INGEST_URL}/ingest/{source.wire_format}/{token}"


class RotationSerializer(serializers.Serializer[Source]):
    overlap_s = serializers.IntegerField(
        min_value=0, max_value=30 * 86_400, default=86_400, help_text="the old token lives on"
    )


class ApiTokenSerializer(serializers.ModelSerializer[ApiToken]):
    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = (
            "id",
            "name",
            "prefix",
            "created_at",
            "last_used_at",
            "revoked_at",
        )
        read_only_fields = ("prefix", "created_at", "last_used_at", "revoked_at")


class ApiTokenWithTokenSerializer(ApiTokenSerializer):
    """As shown once."""

    token = serializers.SerializerMethodField()

    class Meta(ApiTokenSerializer.Meta):
        fields: tuple[str, ...] = (*ApiTokenSerializer.Meta.fields, "token")

    def get_token(self, row: ApiToken) -> str:
        return str(self.context["token"])


class PlaceSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    time_zone = serializers.CharField()
    role = serializers.CharField()


class MeSerializer(serializers.ModelSerializer[User]):
    role = serializers.SerializerMethodField()
    organisations = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields: tuple[str, ...] = (
            "id",
            "username",
            "email",
            "first_name",
            "last_name",
            "role",
            "organisations",
        )
        read_only_fields = ("username", "email")

    @extend_schema_field(OpenApiTypes.STR)
    def get_role(self, user: User) -> str | None:
        return role_of(user)

    @extend_schema_field(PlaceSerializer(many=True))
    def get_organisations(self, user: User) -> list[dict[str, Any]]:
        return list(PlaceSerializer(places_of(user), many=True).data)
