"""`geofences/{id}/presence` and `/visits`: assets inside, and their visits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import django_filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.rest.bodies import StrictBody
from core.rest.cursor_pages import NewestFirst
from core.rest.fields import InstantField
from core.rest.filters import InstantFilter, ObjectFilter
from geofence.api.representations import Row, page_answer
from geofence.models import Crossing, Geofence, Presence
from geofence.visits import entries_of, stock_at, visits


class PresenceRow(StrictBody, serializers.Serializer[Any]):
    asset = serializers.IntegerField()
    asset_name = serializers.CharField()
    since = serializers.DateTimeField(help_text="first sure fix inside")
    not_before = serializers.DateTimeField(allow_null=True, help_text="last sure fix outside")
    for_s = serializers.FloatField(help_text="seconds since then")


class VisitRow(StrictBody, serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="of the crossing that it began with")
    asset = serializers.IntegerField()
    asset_name = serializers.CharField()
    entry = serializers.ChoiceField(["enter", "found"])
    entered_at = serializers.DateTimeField()
    entered_not_before = serializers.DateTimeField(allow_null=True)
    entered_estimate = serializers.DateTimeField(allow_null=True)
    departure = serializers.ChoiceField(["exit", "lost"], allow_null=True)
    left_at = serializers.DateTimeField(allow_null=True)
    left_not_before = serializers.DateTimeField(allow_null=True)
    left_estimate = serializers.DateTimeField(allow_null=True)
    dwell_s = serializers.FloatField(allow_null=True, help_text="between the estimates")
    dwell_min_s = serializers.FloatField(allow_null=True)
    dwell_max_s = serializers.FloatField(allow_null=True)
    is_corrected = serializers.BooleanField(help_text="a late or changed fact had a part in it")


class NewestEntryFirst(NewestFirst):
    ordering: Any = ("-at", "-pk")


class VisitFilter(django_filters.FilterSet):  # type: ignore[misc]
    asset = ObjectFilter()


VisitFilter.base_filters["from"] = InstantFilter(field_name="at", lookup_expr="gte")
VisitFilter.base_filters["to"] = InstantFilter(field_name="at", lookup_expr="lt")


class MomentInput(StrictBody, serializers.Serializer[Any]):
    at = InstantField(required=False)


class PresenceMixin(GenericViewSet[Geofence]):
    @extend_schema(
        parameters=[OpenApiParameter("at", datetime, description="a past moment")],
        responses=PresenceRow(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], filter_backends=[], renderer_classes=[JSONRenderer])
    def presence(self, request: Request, pk: str) -> Response:
        """Assets that are inside now, or were inside at a past moment as far as is known today."""
        geofence = self.get_object()
        query = MomentInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        moment = query.validated_data.get("at")
        if moment is None:
            inside = Presence.objects.filter(geofence=geofence).select_related("asset")
            return page_answer(self, _rows_at(timezone.now(), "since"), queryset=inside)
        stock = stock_at(geofence.pk, moment)
        return page_answer(self, _rows_at(moment, "at"), queryset=stock)

    @extend_schema(responses=VisitRow(many=True), filters=True)
    @action(
        detail=True,
        methods=["get"],
        pagination_class=NewestEntryFirst,
        filterset_class=VisitFilter,
        serializer_class=VisitRow,
        renderer_classes=[JSONRenderer],
    )
    def visits(self, request: Request, pk: str) -> Response:
        """Visits of this geofence, the latest first, from the crossings that stand today."""
        geofence = get_object_or_404(self.get_queryset(), pk=pk)
        crossings: Any = entries_of(geofence.pk)
        entries = self.filter_queryset(crossings)
        return page_answer(self, _visit_rows, queryset=entries)


def _rows_at(moment: datetime, since: str) -> Callable[[Sequence[Any]], list[Row]]:
    def rows(page: Sequence[Any]) -> list[Row]:
        return [dict(PresenceRow(_presence(row, moment, since)).data) for row in page]

    return rows


def _presence(row: Presence | Crossing, moment: datetime, since: str) -> Row:
    start = getattr(row, since)
    return {
        "asset": row.asset_id,
        "asset_name": row.asset.name,
        "since": start,
        "not_before": row.not_before,
        "for_s": max((moment - start).total_seconds(), 0.0),
    }


def _visit_rows(page: Sequence[Any]) -> list[Row]:
    return list(VisitRow(visits(page), many=True).data)
