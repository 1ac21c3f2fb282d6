"""The REST API of the memory: positions of devices and assets, tracks, re-judgings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django_filters
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.generics import get_object_or_404
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.models import Organisation
from assets.models import Asset, Device
from core.errors import Fault, Refused
from core.rest.filters import BooleanFilter, ObjectFilter
from core.rest.geojson import GeoJSONRenderer, feature_collection
from positions.position_pages import NewestMoment
from positions.position_queries import (
    DeviceSpans,
    Period,
    PositionRow,
    rejudgings_of,
    spans_of_asset,
    spans_of_devices,
)
from positions.serializers import (
    PeriodQuery,
    PositionQuery,
    PositionSerializer,
    RejudgingSerializer,
    TrackQuery,
    TrackSerializer,
    position_document,
    position_feature,
    track_feature,
)
from positions.track_fixes import fixes_of
from positions.track_simplifying import simplified_track

# For so many devices at once the newest positions are found quickly.
MAX_DEVICES = 2_000
TRACK_BY_DEFAULT = timedelta(days=1)


class PositionListViewSet(GenericViewSet[Any]):
    """Positions, newest first. GeoJSON if the client accepts `application/geo+json`."""

    queryset = Device.objects.none()
    serializer_class = PositionSerializer
    pagination_class = NewestMoment
    filter_backends = ()
    renderer_classes = (JSONRenderer, GeoJSONRenderer)

    @extend_schema(parameters=[PositionQuery])
    def list(self, request: Request) -> Response:
        """Positions of the devices that you see, by the time at which they were measured.

        With `asset`: while they were on it.
        """
        asked = validated(PositionQuery, request)
        return self.page_of(_spans(request.user, asked))

    def page_of(self, spans: DeviceSpans) -> Response:
        rows: list[PositionRow] = self.paginate_queryset(spans)  # type: ignore[assignment,arg-type]
        answer = self.get_paginated_response([position_document(row) for row in rows])
        if self.request.accepted_renderer.format != GeoJSONRenderer.format:
            return answer
        links = {name: answer.data[name] for name in ("next", "previous")}
        return Response({**feature_collection(map(position_feature, rows)), **links})


class AssetPositionViewSet(PositionListViewSet):
    @extend_schema(parameters=[PeriodQuery])
    def list(self, request: Request, asset: int) -> Response:  # type: ignore[override]
        """Positions of an asset: those of its devices, while they were on it."""
        asked = validated(PeriodQuery, request)
        row = get_object_or_404(Asset.objects.visible_to(request.user), pk=asset)
        return self.page_of(spans_of_asset(row.pk, _period(asked)))


class TrackView(APIView):
    renderer_classes = (GeoJSONRenderer, JSONRenderer)

    @extend_schema(
        operation_id="assets_track",
        parameters=[TrackQuery],
        responses={
            (200, media_type): TrackSerializer
            for media_type in ("application/geo+json", "application/json")
        },
    )
    def get(self, request: Request, asset: int) -> Response:
        """The way of an asset as a line with a time for each point, simplified for a screen.

        At any time the line is within `within_m` metres of the fixes. By default the last day.
        Fixes of a doubtful clock and positions of gateways are left out.
        """
        asked = validated(TrackQuery, request)
        row = get_object_or_404(Asset.objects.visible_to(request.user), pk=asset)
        until = asked.get("to") or timezone.now()
        period = Period(asked.get("from") or _before(until), until)
        fixes = fixes_of(spans_of_asset(row.pk, period))
        kept, within_m = simplified_track(
            fixes, max_points=asked["max_points"], tolerance_m=asked["tolerance_m"]
        )
        return Response(track_feature(row.pk, period, fixes, kept, within_m))


class RejudgingFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = ObjectFilter()
    finished = BooleanFilter(field_name="finished_at", lookup_expr="isnull", exclude=True)


class RejudgingViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Any]):
    """Re-judgings of assets after changes of facts, with their progress. Newest first."""

    serializer_class = RejudgingSerializer
    filterset_class = RejudgingFilter
    queryset = rejudgings_of(AnonymousUser())
    lookup_value_regex = "[0-9]+"

    def get_queryset(self) -> QuerySet[Any]:
        return rejudgings_of(self.request.user)


def register(router: BaseRouter) -> None:
    router.register("rejudgings", RejudgingViewSet, basename="rejudging")


urls = [
    path(
        "assets/<int:asset>/positions/",
        AssetPositionViewSet.as_view({"get": "list"}),
        name="asset-positions",
    ),
    path("assets/<int:asset>/track/", TrackView.as_view(), name="asset-track"),
]


def validated(query: type[Any], request: Request) -> dict[str, Any]:
    asked = query(data=request.query_params)
    asked.is_valid(raise_exception=True)
    found: dict[str, Any] = asked.validated_data
    return found


def _period(asked: dict[str, Any]) -> Period:
    return Period(asked.get("from"), asked.get("to"))


def _spans(user: Any, asked: dict[str, Any]) -> DeviceSpans:
    """Return the spans of the named device or asset. Raises Http404 unless `user` sees it."""
    device_id, asset_id = asked.get("device"), asked.get("asset")
    devices = _of_organisation(Device.objects.visible_to(user), user, asked.get("organisation"))
    if device_id is not None:
        get_object_or_404(devices, pk=device_id)
    if asset_id is not None:
        assets = _of_organisation(Asset.objects.visible_to(user), user, asked.get("organisation"))
        get_object_or_404(assets, pk=asset_id)
        return spans_of_asset(asset_id, _period(asked), device_id=device_id)
    if device_id is not None:
        return spans_of_devices([device_id], _period(asked))
    return spans_of_devices(_device_ids_of(devices), _period(asked))


def _of_organisation(rows: QuerySet[Any], user: Any, organisation_id: int | None) -> QuerySet[Any]:
    if organisation_id is None:
        return rows
    get_object_or_404(Organisation.objects.visible_to(user), pk=organisation_id)
    return rows.filter(organisation_id=organisation_id)


def _device_ids_of(devices: QuerySet[Device]) -> list[int]:
    ids = list(devices.order_by("pk").values_list("pk", flat=True)[: MAX_DEVICES + 1])
    if len(ids) > MAX_DEVICES:
        fault = Fault(pointer="/query/device", code="required", detail="Name a device or asset.")
        raise Refused(
            f"You see more than {MAX_DEVICES} devices.", code="invalid-parameter", faults=(fault,)
        )
    return ids


def _before(until: Any) -> Any:
    try:
        return until - TRACK_BY_DEFAULT
    except OverflowError:
        return until
