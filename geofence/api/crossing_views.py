"""`crossings`: crossings with their corrections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import OuterRef, QuerySet, Subquery
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.rest.bodies import StrictBody
from core.rest.filters import BooleanFilter, ChoicesFilter, InstantFilter, ObjectFilter
from core.rest.geojson import feature
from geofence.api.representations import RENDERERS, Row, page_answer, wants_geojson
from geofence.models import Correction, Crossing

BASELINES = (Crossing.Kind.FOUND, Crossing.Kind.LOST)


class CrossingRow(StrictBody, serializers.ModelSerializer[Crossing]):
    asset_name = serializers.CharField(source="asset.name", read_only=True)
    geofence_name = serializers.CharField(source="geofence.name", read_only=True)
    inferred = serializers.BooleanField(source="is_inferred", read_only=True)
    correction = serializers.ChoiceField(
        Correction.Change.choices, read_only=True, allow_null=True, help_text="the latest"
    )
    before = serializers.DictField(
        child=serializers.DateTimeField(allow_null=True),
        read_only=True,
        allow_null=True,
        help_text="the times that the latest correction changed or withdrew",
    )

    class Meta:
        model = Crossing
        fields = (
            "id",
            "asset",
            "asset_name",
            "geofence",
            "geofence_name",
            "kind",
            "at",
            "not_before",
            "not_after",
            "estimate",
            "left_estimate",
            "inferred",
            "is_late",
            "correction",
            "before",
            "withdrawn_at",
            "recorded_at",
            "lon_deg",
            "lat_deg",
        )
        read_only_fields = fields


class CorrectionRow(StrictBody, serializers.ModelSerializer[Correction]):
    class Meta:
        model = Correction
        fields = ("id", "change", "before", "after", "cause", "recorded_at")
        read_only_fields = fields


class CrossingDetail(CrossingRow):
    corrections = CorrectionRow(many=True, read_only=True)

    class Meta:
        model = Crossing
        fields = (*CrossingRow.Meta.fields, "version", "corrections")
        read_only_fields = fields


class CrossingFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = ObjectFilter()
    asset = ObjectFilter()
    geofence = ObjectFilter()
    kind = ChoicesFilter(choices=Crossing.Kind.choices)
    corrections = BooleanFilter(method="keep", label="also withdrawn crossings")
    baselines = BooleanFilter(method="keep", label="also found and lost")

    def keep(self, queryset: QuerySet[Crossing], name: str, value: bool) -> QuerySet[Crossing]:
        return queryset

    def filter_queryset(self, queryset: QuerySet[Crossing]) -> QuerySet[Crossing]:
        found: QuerySet[Crossing] = super().filter_queryset(queryset)
        if not self.form.cleaned_data.get("corrections"):
            found = found.filter(withdrawn_at__isnull=True)
        if not self.form.cleaned_data.get("baselines"):
            found = found.exclude(kind__in=BASELINES)
        return found


CrossingFilter.base_filters["from"] = InstantFilter(field_name="at", lookup_expr="gte")
CrossingFilter.base_filters["to"] = InstantFilter(field_name="at", lookup_expr="lt")


class CrossingViewSet(GenericViewSet[Crossing]):
    queryset = Crossing.objects.none()
    serializer_class = CrossingRow
    filterset_class = CrossingFilter
    renderer_classes = RENDERERS

    def get_queryset(self) -> QuerySet[Crossing]:
        latest = Correction.objects.filter(crossing=OuterRef("pk")).order_by("-pk")
        visible: QuerySet[Crossing] = Crossing.objects.visible_to(self.request.user)
        return visible.select_related("asset", "geofence").annotate(
            correction=Subquery(latest.values("change")[:1]),
            before=Subquery(latest.values("before")[:1]),
        )

    def list(self, request: Request) -> Response:
        """Crossings, the newest recorded first; `from` and `to` compare the time of crossing."""
        return page_answer(self, _rows, crossing_feature)

    @extend_schema(responses=CrossingDetail, filters=False)
    def retrieve(self, request: Request, pk: str) -> Response:
        """A crossing, withdrawn or not, with its corrections and their causes."""
        crossings = self.get_queryset().prefetch_related("corrections")
        row = dict(CrossingDetail(get_object_or_404(crossings, pk=pk)).data)
        return Response(crossing_feature(row) if wants_geojson(request) else row)


def crossing_feature(row: Row) -> Row:
    point = {"type": "Point", "coordinates": [row["lon_deg"], row["lat_deg"]]}
    properties = {name: row[name] for name in row if name != "id"}
    return feature(feature_id=row["id"], geometry=point, properties=properties)


def _rows(page: Sequence[Any]) -> list[Row]:
    return list(CrossingRow(page, many=True).data)
