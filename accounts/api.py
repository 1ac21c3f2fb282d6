"""The REST API of organisations, members, tokens and the user's own account."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

import accounts.openapi_credentials  # noqa: F401  registers them with drf-spectacular
from accounts import actions
from accounts.models import ApiToken, Membership, Organisation, User
from accounts.roles import person_of
from accounts.serializers import (
    ApiTokenSerializer,
    ApiTokenWithTokenSerializer,
    MembershipSerializer,
    MeSerializer,
    OrganisationSerializer,
    RoleSerializer,
)
from core.errors import Forbidden, Refused
from core.rest.conventions import METHODS, NO_STORE
from core.rest.filters import OrganisationFilter
from core.rest.permissions import IsOwn, MayManage
from core.rest.updates import row_to_update


def register(router: BaseRouter) -> None:
    """Add the routes of this app."""
    router.register("organisations", OrganisationViewSet, basename="organisation")
    router.register("members", MemberViewSet, basename="member")
    router.register("tokens", TokenViewSet, basename="token")


class OrganisationViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    GenericViewSet[Organisation],
):
    queryset = Organisation.objects.none()
    http_method_names = METHODS
    permission_classes = (MayManage,)
    serializer_class = OrganisationSerializer

    def get_queryset(self) -> QuerySet[Organisation]:
        return Organisation.objects.visible_to(self.request.user)

    def perform_create(self, serializer: BaseSerializer[Organisation]) -> None:
        if not cast("User", self.request.user).is_provider_admin:
            raise Forbidden("Only admins of the provider add organisations.")
        serializer.instance = actions.create_organisation(
            **serializer.validated_data, by=person_of(self.request)
        )

    def perform_update(self, serializer: BaseSerializer[Organisation]) -> None:
        serializer.instance = actions.change_organisation(
            organisation=row_to_update(serializer),
            **serializer.validated_data,
            by=person_of(self.request),
        )


@extend_schema_view(
    partial_update=extend_schema(summary="Give a member another role"),
    destroy=extend_schema(summary="Remove a member"),
)
class MemberViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet[Membership],
):
    queryset = Membership.objects.none()
    http_method_names = METHODS
    permission_classes = (MayManage,)
    filterset_class = OrganisationFilter

    def get_queryset(self) -> QuerySet[Membership]:
        return Membership.objects.visible_to(self.request.user).select_related("user")

    def get_serializer_class(self) -> type[BaseSerializer[Membership]]:
        return RoleSerializer if self.action == "partial_update" else MembershipSerializer

    def perform_create(self, serializer: BaseSerializer[Membership]) -> None:
        person = serializer.validated_data["user"]
        serializer.instance = actions.add_member(
            organisation=serializer.validated_data["organisation"],
            role=serializer.validated_data["role"],
            email=person["email"],
            by=person_of(self.request),
        )

    def perform_update(self, serializer: BaseSerializer[Membership]) -> None:
        if "role" not in serializer.validated_data:
            raise Refused("Name the role.", code="nothing-to-change")
        serializer.instance = actions.change_role(
            membership=row_to_update(serializer),
            role=serializer.validated_data["role"],
            by=person_of(self.request),
        )

    def perform_destroy(self, instance: Membership) -> None:
        actions.remove_member(membership=instance, by=person_of(self.request))


@extend_schema_view(destroy=extend_schema(summary="Revoke a token"))
class TokenViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet[ApiToken],
):
    """The user's own tokens. DELETE revokes a token; its row stays visible."""

    queryset = ApiToken.objects.none()
    http_method_names = METHODS
    permission_classes = (IsOwn,)
    serializer_class = ApiTokenSerializer

    def get_queryset(self) -> QuerySet[ApiToken]:
        return ApiToken.objects.filter(user=cast("User", self.request.user))

    @extend_schema(request=ApiTokenSerializer, responses={201: ApiTokenWithTokenSerializer})
    def create(self, request: Request) -> Response:
        """Make a token. The answer shows it, this once."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        user = cast("User", request.user)
        row, token = actions.issue_api_token(user=user, by=user, **asked.validated_data)
        body = ApiTokenWithTokenSerializer(row, context={"token": token}).data
        return Response(body, status.HTTP_201_CREATED, headers=NO_STORE)

    def perform_destroy(self, instance: ApiToken) -> None:
        actions.revoke_api_token(token=instance, by=person_of(self.request))


@extend_schema_view(
    get=extend_schema(summary="Read who you are, and your roles"),
    patch=extend_schema(summary="Change your own name"),
)
class MeView(RetrieveUpdateAPIView[User]):
    """The user of the request, with their role in each organisation."""

    http_method_names = METHODS
    permission_classes = (IsOwn,)
    serializer_class = MeSerializer

    def get_object(self) -> User:
        return cast("User", self.request.user)

    def perform_update(self, serializer: BaseSerializer[User]) -> None:
        actions.change_name(user=self.get_object(), **serializer.validated_data)


urls = [path("me/", MeView.as_view(), name="me")]
