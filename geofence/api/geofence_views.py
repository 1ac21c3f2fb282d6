"""`geofences`: drawing, redrawing, versions and try-outs."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.roles import person_of
from core.errors import NotFound
from core.rest.filters import ObjectFilter
from core.rest.permissions import AsksOnly, MayOperate
from geofence import actions
from geofence.api.geofence_rows import not_ended, publish_geofence_list, rows_of, with_versions
from geofence.api.import_export_views import ExportMixin, ImportMixin
from geofence.api.presence_views import PresenceMixin
from geofence.api.representations import (
    PARSERS,
    RENDERERS,
    page_answer,
    row_answer,
    row_feature,
)
from geofence.containment import containment_of
from geofence.models import Geofence, GeofenceVersion
from geofence.presets import preset_for
from geofence.serializers import (
    ContainmentRow,
    GeofenceChange,
    GeofenceInput,
    GeofenceRow,
    IntervalInput,
    JudgingRow,
    PointInput,
    SimplifiedRow,
    SimplifyInput,
    VersionInput,
    VersionRow,
    faults_as_sent,
)
from geofence.shape_checks import pointing_into
from geofence.shape_simplifying import simplified_shape


class GeofenceFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = ObjectFilter()
    name = django_filters.CharFilter(lookup_expr="icontains")
    tag = django_filters.CharFilter(method="filter_tag", help_text="linked to assets of this tag")

    def filter_tag(self, queryset: QuerySet[Geofence], name: str, value: str) -> QuerySet[Geofence]:
        now = timezone.now()
        versions = GeofenceVersion.objects.filter(
            not_ended(now), geofence=OuterRef("pk"), tags__contains=[value]
        )
        return queryset.filter(Exists(versions))


@extend_schema_view(
    retrieve=extend_schema(responses=GeofenceRow),
    destroy=extend_schema(description="Ends its version; its crossings until now stay."),
)
class GeofenceViewSet(
    PresenceMixin,
    ImportMixin,
    ExportMixin,
    mixins.DestroyModelMixin,
    GenericViewSet[Geofence],
):
    queryset = Geofence.objects.none()
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    permission_classes = (MayOperate,)
    serializer_class: Any = GeofenceRow
    filterset_class = GeofenceFilter
    parser_classes = PARSERS
    renderer_classes = RENDERERS

    def get_queryset(self) -> QuerySet[Geofence]:
        return Geofence.objects.visible_to(self.request.user).filter(deleted_at__isnull=True)

    def list(self, request: Request) -> Response:
        found = self.filter_queryset(with_versions(self.get_queryset()))
        return page_answer(self, rows_of, row_feature, found)

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(self.get_object())

    @extend_schema(request=GeofenceInput, responses={201: GeofenceRow})
    def create(self, request: Request) -> Response:
        body = GeofenceInput(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        data = body.validated_data
        optional = {name: data[name] for name in ("colour", "valid_from") if name in data}
        with faults_as_sent(request.data):
            geofence = actions.draw_geofence(
                organisation=data["organisation"],
                name=data["name"],
                shape=body.drawn_shape() or {},
                by=person_of(request),
                **optional,
                **body.judging(),
            )
        publish_geofence_list(geofence.organisation_id)
        return self._answer(geofence, status.HTTP_201_CREATED)

    @extend_schema(request=GeofenceChange, responses=GeofenceRow)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename or recolour; a new shape or judging makes a new version, from now on."""
        geofence = self.get_object()
        body = GeofenceChange(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        naming = {
            name: body.validated_data[name]
            for name in ("name", "colour")
            if name in body.validated_data
        }
        with transaction.atomic():
            if naming:
                actions.rename_geofence(geofence=geofence, **naming)
            if body.is_redrawing():
                self._redraw(geofence, body)
        publish_geofence_list(geofence.organisation_id)
        return self._answer(geofence)

    def perform_destroy(self, instance: Geofence) -> None:
        actions.delete_geofence(geofence=instance, by=person_of(self.request))
        publish_geofence_list(instance.organisation_id)

    @extend_schema(
        methods=["GET"],
        summary="List the versions of a geofence",
        responses=VersionRow(many=True),
        filters=False,
    )
    @extend_schema(
        methods=["POST"],
        summary="Add a version of a geofence",
        request=VersionInput,
        responses={201: VersionRow},
    )
    @action(detail=True, methods=["get", "post"], filter_backends=[])
    def versions(self, request: Request, pk: str) -> Response:
        """All versions, newest first; or a new one, valid from any moment on."""
        geofence = self.get_object()
        if request.method == "GET":
            return page_answer(
                self,
                lambda page: list(VersionRow(page, many=True).data),
                row_feature,
                GeofenceVersion.objects.filter(geofence=geofence),
            )
        body = VersionInput(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        version = self._redraw(geofence, body)
        publish_geofence_list(geofence.organisation_id)
        version.refresh_from_db()
        return row_answer(self, dict(VersionRow(version).data), status.HTTP_201_CREATED)

    @extend_schema(request=PointInput, responses=ContainmentRow)
    @action(
        detail=True,
        methods=["post"],
        permission_classes=[AsksOnly],
        renderer_classes=[JSONRenderer],
    )
    def test(self, request: Request, pk: str) -> Response:
        """Test whether a point is inside, by PostGIS, with its distance to the edge."""
        geofence = self.get_object()
        body = PointInput(data=request.data)
        body.is_valid(raise_exception=True)
        answer = containment_of(self._versioned(geofence), **body.validated_data)
        return Response(ContainmentRow(answer).data)

    @extend_schema(request=SimplifyInput, responses=SimplifiedRow, filters=False)
    @action(
        detail=False,
        methods=["post"],
        permission_classes=[AsksOnly],
        filter_backends=[],
        renderer_classes=[JSONRenderer],
    )
    def simplify(self, request: Request) -> Response:
        """Offer a shape with fewer points. Nothing is stored."""
        body = SimplifyInput(data=request.data)
        body.is_valid(raise_exception=True)
        shape = body.drawn_shape()
        with pointing_into("/geometry" if "geometry" in body.validated_data else "/shape"):
            offered = simplified_shape(shape, body.validated_data["max_points"])
        return Response(SimplifiedRow(offered).data)

    @extend_schema(parameters=[IntervalInput], responses=JudgingRow, filters=False)
    @action(
        detail=False,
        methods=["get"],
        filter_backends=[],
        pagination_class=None,
        renderer_classes=[JSONRenderer],
    )
    def preset(self, request: Request) -> Response:
        """Judging options that suit assets that report every `interval_s` seconds."""
        query = IntervalInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(preset_for(query.validated_data["interval_s"]))

    def _answer(self, geofence: Geofence, code: int = status.HTTP_200_OK) -> Response:
        return row_answer(self, dict(GeofenceRow(self._versioned(geofence)).data), code)

    def _versioned(self, geofence: Geofence) -> GeofenceVersion:
        """Return the version in force, otherwise the next version."""
        versions = GeofenceVersion.objects.filter(not_ended(timezone.now()), geofence=geofence)
        found = versions.select_related("geofence").order_by("valid_from")
        version: GeofenceVersion | None = found.first()
        if version is None:
            raise NotFound
        return version

    def _redraw(self, geofence: Geofence, body: VersionInput) -> GeofenceVersion:
        with faults_as_sent(self.request.data):
            return actions.redraw_geofence(
                geofence=geofence,
                shape=body.drawn_shape(),
                valid_from=body.validated_data.get("valid_from"),
                by=person_of(self.request),
                **body.judging(),
            )
