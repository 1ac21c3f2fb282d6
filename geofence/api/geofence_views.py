"""`geofences`: drawing, redrawing, versions and try-outs."""

from __future__ import annotations

from typing import Any

import django_filters
from django.contrib.gis.geos import Point, Polygon
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.roles import person_of
from assets.models import Asset
from core.errors import Fault, NotFound, Refused
from core.rest.filters import ObjectFilter
from core.rest.permissions import AsksOnly, MayOperate
from geofence import actions, limits
from geofence.api.geofence_rows import publish_geofence_list, rows_of, with_versions
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
from geofence.dependents import dependents_of
from geofence.models import Geofence, GeofenceVersion, not_ended
from geofence.presets import preset_for
from geofence.serializers import (
    ContainmentRow,
    DeletionInput,
    DependentsRow,
    GeofenceChange,
    GeofenceInput,
    GeofenceRow,
    JudgingRow,
    PointInput,
    PresetInput,
    SimplifiedRow,
    SimplifyInput,
    VersionInput,
    VersionRow,
    faults_as_sent,
)
from geofence.shape_checks import pointing_into
from geofence.shape_simplifying import simplified_shape

PAST_ACTIONS = ("presence", "versions", "visits")


class GeofenceFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = ObjectFilter()
    name = django_filters.CharFilter(lookup_expr="icontains")
    tag = django_filters.CharFilter(method="filter_tag", help_text="linked to assets of this tag")
    asset = django_filters.NumberFilter(
        method="filter_asset", help_text="judged for this asset: by its id, its tags, or all assets"
    )
    bbox = django_filters.CharFilter(
        method="filter_bbox",
        help_text="west,south,east,north in degrees: geofences that touch it; over the "
        "antimeridian west is greater than east",
    )
    point = django_filters.CharFilter(
        method="filter_point", help_text="longitude,latitude: geofences that hold it"
    )

    def filter_tag(self, queryset: QuerySet[Geofence], name: str, value: str) -> QuerySet[Geofence]:
        return _with_version(queryset, Q(tags__contains=[value]))

    def filter_asset(self, queryset: QuerySet[Geofence], name: str, value: int) -> Any:
        asset = Asset.objects.visible_to(self.request.user).filter(pk=value).first()
        if asset is None:
            return queryset.none()
        is_for_all = Q(asset_ids=[], tags=[])
        is_linked = Q(asset_ids__contains=[asset.pk]) | Q(tags__overlap=asset.tags)
        same = queryset.filter(organisation_id=asset.organisation_id)
        return _with_version(same, is_for_all | is_linked)

    def filter_bbox(self, queryset: QuerySet[Geofence], name: str, value: str) -> Any:
        west, south, east, north = _degrees(value, "bbox", 4)
        if south > north:
            raise _wrong_parameter("bbox", "West, south, east and north, in this order.")
        boxes = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
        touches = Q()
        for low, high in boxes:
            touches |= Q(area__intersects=Polygon.from_bbox((low, south, high, north)))
        return _with_version(queryset, touches)

    def filter_point(self, queryset: QuerySet[Geofence], name: str, value: str) -> Any:
        lon_deg, lat_deg = _degrees(value, "point", 2)
        return _with_version(queryset, Q(area__intersects=Point(lon_deg, lat_deg, srid=4326)))


def _with_version(queryset: QuerySet[Geofence], condition: Q) -> QuerySet[Geofence]:
    """Return the geofences with a version, in force or to come, that meets the condition."""
    versions = GeofenceVersion.objects.filter(
        not_ended(timezone.now()), condition, geofence=OuterRef("pk")
    )
    return queryset.filter(Exists(versions))


def _degrees(value: str, name: str, count: int) -> list[float]:
    """Return longitudes and latitudes in turn. Raises `Refused` for anything else."""
    try:
        degrees = [float(word) for word in value.split(",")]
    except ValueError:
        degrees = []
    most = [limits.LAT_DEG if place % 2 else limits.LON_DEG / 2.0 for place in range(count)]
    if len(degrees) != count or any(
        not abs(degree) <= limit for degree, limit in zip(degrees, most, strict=True)
    ):
        detail = f"{count} numbers with commas, longitude first, within 180 and 90."
        raise _wrong_parameter(name, detail)
    return degrees


def _wrong_parameter(name: str, detail: str) -> Refused:
    fault = Fault(pointer=f"/query/{name}", code="invalid", detail=detail)
    return Refused(detail, code="invalid-parameter", faults=(fault,))


@extend_schema_view(
    retrieve=extend_schema(responses=GeofenceRow),
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
        geofences: QuerySet[Geofence] = Geofence.objects.visible_to(self.request.user)
        # The past of a deleted geofence stays readable: visits are billed later.
        is_of_past = self.action in PAST_ACTIONS and self.request.method in SAFE_METHODS
        return geofences if is_of_past else geofences.filter(deleted_at__isnull=True)

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

    @extend_schema(
        parameters=[OpenApiParameter("dry_run", bool, description="only say what would end")],
        responses={204: None, 200: DependentsRow},
    )
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End its version and the rules about it; crossings, visits and versions stay readable.

        `dry_run=true` deletes nothing and answers which rules would end.
        """
        query = DeletionInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        if query.validated_data["dry_run"]:
            return Response(dependents_of(self.get_object().pk))
        return super().destroy(request, *args, **kwargs)

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

    @extend_schema(parameters=[PresetInput], responses=JudgingRow, filters=False)
    @action(
        detail=False,
        methods=["get"],
        filter_backends=[],
        pagination_class=None,
        renderer_classes=[JSONRenderer],
    )
    def preset(self, request: Request) -> Response:
        """Judging options for assets that report every `interval_s` seconds, and for a size."""
        query = PresetInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(preset_for(**query.validated_data))

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
