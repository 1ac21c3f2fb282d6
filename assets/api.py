"""The REST API of assets, devices, assignments and sources."""

from __future__ import annotations

from functools import partial

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.roles import person_of
from assets import actions
from assets.models import Asset, Assignment, Device, Source
from assets.serializers import (
    AssetSerializer,
    AssignmentEndSerializer,
    AssignmentSerializer,
    DeviceSerializer,
    RotationSerializer,
    SourceSerializer,
    SourceWithTokenSerializer,
)
from core import broadcast
from core.observation import normal_identifier
from core.rest.conventions import METHODS, NO_STORE
from core.rest.filters import BooleanFilter, InstantFilter, ObjectFilter, OrganisationFilter
from core.rest.permissions import MayOperate
from core.rest.updates import changes_of, row_to_update


def register(router: BaseRouter) -> None:
    """Add the routes of this app."""
    router.register("assets", AssetViewSet, basename="asset")
    router.register("devices", DeviceViewSet, basename="device")
    router.register("assignments", AssignmentViewSet, basename="assignment")
    router.register("sources", SourceViewSet, basename="source")


def _publish_asset_list(organisation_id: int) -> None:
    """After the commit, make live maps read the list of assets again."""
    frame = broadcast.Changed(organisation_id=organisation_id, what="assets")
    transaction.on_commit(partial(broadcast.publish, [frame]))


class AssetFilter(OrganisationFilter):
    kind = django_filters.CharFilter()
    tag = django_filters.CharFilter(method="with_tag")
    name = django_filters.CharFilter(lookup_expr="icontains")
    is_archived = BooleanFilter(field_name="archived_at", method="archived")

    def with_tag(self, rows: QuerySet[Asset], name: str, tag: str) -> QuerySet[Asset]:
        return rows.filter(tags__contains=[tag])

    def archived(self, rows: QuerySet[Asset], name: str, is_archived: bool) -> QuerySet[Asset]:
        return rows.filter(archived_at__isnull=not is_archived)


class AssetViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    GenericViewSet[Asset],
):
    """Assets. Their positions are under `state`, `positions` and `track`."""

    queryset = Asset.objects.none()
    http_method_names = METHODS
    permission_classes = (MayOperate,)
    serializer_class = AssetSerializer
    filterset_class = AssetFilter

    def get_queryset(self) -> QuerySet[Asset]:
        return Asset.objects.visible_to(self.request.user)

    def perform_create(self, serializer: BaseSerializer[Asset]) -> None:
        serializer.instance = asset = actions.add_asset(**changes_of(serializer, "tags_from"))
        _publish_asset_list(asset.organisation_id)

    def perform_update(self, serializer: BaseSerializer[Asset]) -> None:
        serializer.instance = asset = actions.change_asset(
            asset=row_to_update(serializer),
            by=person_of(self.request),
            **changes_of(serializer, "organisation"),
        )
        _publish_asset_list(asset.organisation_id)

    @extend_schema(request=None, responses=AssetSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """Archive an asset. Its history stays; its devices are free from now on."""
        asset = self.get_object()
        actions.archive_asset(asset=asset, by=person_of(request))
        _publish_asset_list(asset.organisation_id)
        return Response(self.get_serializer(asset).data)


class DeviceFilter(OrganisationFilter):
    identifier = django_filters.CharFilter(method="spelled")

    def spelled(self, rows: QuerySet[Device], name: str, identifier: str) -> QuerySet[Device]:
        return rows.filter(identifier=normal_identifier(identifier))


class DeviceViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    GenericViewSet[Device],
):
    queryset = Device.objects.none()
    http_method_names = METHODS
    permission_classes = (MayOperate,)
    serializer_class = DeviceSerializer
    filterset_class = DeviceFilter

    def get_queryset(self) -> QuerySet[Device]:
        return Device.objects.visible_to(self.request.user).prefetch_related("assignments")

    def perform_create(self, serializer: BaseSerializer[Device]) -> None:
        serializer.instance = actions.register_device(**serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Device]) -> None:
        serializer.instance = actions.change_device(
            device=row_to_update(serializer), **changes_of(serializer, "organisation", "identifier")
        )


class AssignmentFilter(django_filters.FilterSet):  # type: ignore[misc]
    device = ObjectFilter()
    asset = ObjectFilter()
    at = InstantFilter(field_name="during", lookup_expr="contains")


@extend_schema_view(destroy=extend_schema(summary="Withdraw an assignment"))
class AssignmentViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet[Assignment],
):
    """PATCH ends an assignment; DELETE withdraws an assignment that was never true.

    Either moves positions out of the asset's history.
    """

    queryset = Assignment.objects.none()
    http_method_names = METHODS
    permission_classes = (MayOperate,)
    serializer_class = AssignmentSerializer
    filterset_class = AssignmentFilter

    def get_queryset(self) -> QuerySet[Assignment]:
        return Assignment.objects.visible_to(self.request.user).select_related("device")

    def perform_create(self, serializer: BaseSerializer[Assignment]) -> None:
        asked = serializer.validated_data
        during = asked["during"]
        change = actions.assign_device(
            device=asked["device"],
            asset=asked["asset"],
            since=during["lower"],
            until=during.get("upper"),
            by=person_of(self.request),
        )
        serializer.instance = change.assignment
        _publish_asset_list(asked["device"].organisation_id)

    @extend_schema(request=AssignmentEndSerializer, responses=AssignmentSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """End an assignment. Positions from then on are no part of the asset's history."""
        assignment = self.get_object()
        asked = AssignmentEndSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        actions.end_assignment(
            assignment=assignment, at=asked.validated_data["until"], by=person_of(request)
        )
        _publish_asset_list(assignment.device.organisation_id)
        return Response(self.get_serializer(assignment).data)

    def perform_destroy(self, instance: Assignment) -> None:
        actions.withdraw_assignment(assignment=instance, by=person_of(self.request))
        _publish_asset_list(instance.device.organisation_id)


class SourceViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    GenericViewSet[Source],
):
    """Sources, for owners and operators; viewers see no sources."""

    queryset = Source.objects.none()
    http_method_names = METHODS
    permission_classes = (MayOperate,)
    serializer_class = SourceSerializer
    filterset_class = OrganisationFilter

    def get_queryset(self) -> QuerySet[Source]:
        return Source.objects.operable_by(self.request.user)

    @extend_schema(request=SourceSerializer, responses={201: SourceWithTokenSerializer})
    def create(self, request: Request) -> Response:
        """Add a source. The answer shows its token and its address, this once."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        source, token = actions.add_source(**asked.validated_data)
        return self._with_token(source, token, status.HTTP_201_CREATED)

    def perform_update(self, serializer: BaseSerializer[Source]) -> None:
        changes = changes_of(serializer, "organisation", "wire_format", "device")
        serializer.instance = actions.change_source(source=row_to_update(serializer), **changes)

    @extend_schema(request=RotationSerializer, responses=SourceWithTokenSerializer)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Give a source another token, which the answer shows this once."""
        source = self.get_object()
        asked = RotationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        token = actions.rotate_source_token(source=source, **asked.validated_data)
        return self._with_token(source, token, status.HTTP_200_OK)

    @extend_schema(request=None, responses=SourceSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """Revoke a source, for ever. Its reports are refused from now on."""
        source = actions.revoke_source(source=self.get_object())
        return Response(self.get_serializer(source).data)

    def _with_token(self, source: Source, token: str, code: int) -> Response:
        context = {**self.get_serializer_context(), "token": token}
        body = SourceWithTokenSerializer(source, context=context).data
        return Response(body, code, headers=NO_STORE)
