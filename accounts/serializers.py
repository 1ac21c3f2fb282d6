"""Serializers of organisations, members, tokens and the user's own account."""

from __future__ import annotations

import zoneinfo
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import ApiToken, Membership, Organisation, User
from accounts.roles import organisation_roles_of, role_of
from core.rest.bodies import StrictBody
from core.rest.fields import ManageableField


class OrganisationSerializer(StrictBody, serializers.ModelSerializer[Organisation]):
    class Meta:
        model = Organisation
        fields: tuple[str, ...] = ("id", "name", "time_zone", "created_at")
        read_only_fields = ("created_at",)

    def validate_time_zone(self, time_zone: str) -> str:
        if time_zone not in zoneinfo.available_timezones():
            raise serializers.ValidationError("Not an IANA time zone.", code="time-zone-unknown")
        return time_zone


class MembershipSerializer(StrictBody, serializers.ModelSerializer[Membership]):
    """A member, named by e-mail address; other data of the person are not shown."""

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


class RoleSerializer(StrictBody, serializers.ModelSerializer[Membership]):
    role = serializers.ChoiceField(choices=Membership.Role.choices)

    class Meta:
        model = Membership
        fields: tuple[str, ...] = ("role",)


class ApiTokenSerializer(StrictBody, serializers.ModelSerializer[ApiToken]):
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
    """An API token as shown once: with the token itself."""

    token = serializers.SerializerMethodField()

    class Meta(ApiTokenSerializer.Meta):
        fields: tuple[str, ...] = (*ApiTokenSerializer.Meta.fields, "token")

    def get_token(self, row: ApiToken) -> str:
        return str(self.context["token"])


class OrganisationRoleSerializer(StrictBody, serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    time_zone = serializers.CharField()
    role = serializers.CharField()


class MeSerializer(StrictBody, serializers.ModelSerializer[User]):
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

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_role(self, user: User) -> str | None:
        return role_of(user)

    @extend_schema_field(OrganisationRoleSerializer(many=True))
    def get_organisations(self, user: User) -> list[dict[str, Any]]:
        return list(OrganisationRoleSerializer(organisation_roles_of(user), many=True).data)
