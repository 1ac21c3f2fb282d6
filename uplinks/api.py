"""The REST API of uplinks: recent ones, those that were set aside, books and misuses.

Replaying an uplink takes the road, so it is in `tracker.ingest.uplink_api`.
"""

from __future__ import annotations

from typing import Any

import django_filters
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from assets.models import Device, Source
from core.observation import normal_identifier
from core.rest.filters import BooleanFilter, ObjectFilter
from uplinks.recent import RecentUplink, recent_of_devices, recent_of_source
from uplinks.serializers import (
    BooksSerializer,
    DayBooksSerializer,
    MisuseSerializer,
    RecentQuery,
    RecentUplinkSerializer,
    UplinkSerializer,
    WholeUplinkSerializer,
)
from uplinks.uplink_queries import books_of, days_of, misuses_of, uplinks_of

# Organisations that have a device of the same identifier, of which a person sees several.
MAX_NAMESAKES = 20


class UplinkFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = ObjectFilter()
    source = ObjectFilter()
    reason = django_filters.CharFilter()
    device = django_filters.CharFilter(method="spelled", label="identifier of a device")
    replayed = BooleanFilter(field_name="replayed_at", lookup_expr="isnull", exclude=True)

    def spelled(self, rows: QuerySet[Any], name: str, identifier: str) -> QuerySet[Any]:
        return rows.filter(device_identifier=normal_identifier(identifier))


class UplinkViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Any]):
    serializer_class = UplinkSerializer
    filterset_class = UplinkFilter
    queryset = uplinks_of(AnonymousUser())
    lookup_value_regex = "[0-9]+"

    def get_queryset(self) -> QuerySet[Any]:
        return uplinks_of(self.request.user)

    @extend_schema(responses=WholeUplinkSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return an uplink with its whole body."""
        return Response(WholeUplinkSerializer(self.get_object()).data)

    @extend_schema(
        operation_id="uplinks_recent",
        parameters=[RecentQuery],
        responses=RecentUplinkSerializer(many=True),
        filters=False,
    )
    @action(detail=False, pagination_class=None, filter_backends=())
    def recent(self, request: Request) -> Response:
        """The last 50 uplinks of a source, or of a device, the newest first.

        With what their decoder noted, joins, acknowledgements and logs included. Of plain reports
        a source shows one a second, and a device none. For owners and operators; may be lost.
        """
        asked = RecentQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = _recent(request.user, **asked.validated_data)
        return Response(RecentUplinkSerializer(found, many=True).data)


class BooksView(APIView):
    @extend_schema(operation_id="sources_counts", responses=BooksSerializer)
    def get(self, request: Request, source: int) -> Response:
        """The books of a source: received is the sum of the other counts.

        For owners and operators.
        """
        row = get_object_or_404(Source.objects.operable_by(request.user), pk=source)
        return Response(BooksSerializer(books_of(row)).data)


class DayBooksView(APIView):
    @extend_schema(operation_id="sources_counts_by_day", responses=DayBooksSerializer(many=True))
    def get(self, request: Request, source: int) -> Response:
        """The books of a source for each day on which something came, the latest first.

        For owners and operators. At most 366 days.
        """
        row = get_object_or_404(Source.objects.operable_by(request.user), pk=source)
        return Response(DayBooksSerializer(days_of(row), many=True).data)


class MisuseView(APIView):
    @extend_schema(operation_id="sources_misuse", responses=MisuseSerializer(many=True))
    def get(self, request: Request, source: int) -> Response:
        """Other devices that were named under this source's token; the latest first.

        For owners and operators. At most 101 rows.
        """
        row = get_object_or_404(Source.objects.operable_by(request.user), pk=source)
        rows = misuses_of(request.user).filter(source=row)
        return Response(MisuseSerializer(rows, many=True).data)


def _recent(user: Any, source: int | None = None, device: str | None = None) -> list[RecentUplink]:
    """Return recent uplinks of a source or device that `user` operates; else it is unknown."""
    if source is not None:
        return recent_of_source(get_object_or_404(Source.objects.operable_by(user), pk=source).pk)
    devices = Device.objects.operable_by(user).filter(identifier=normal_identifier(device or ""))
    named = list(devices.values_list("organisation_id", "identifier")[:MAX_NAMESAKES])
    if not named:
        raise Http404
    return recent_of_devices(named)


urls = [
    path("sources/<int:source>/counts/", BooksView.as_view(), name="source-counts"),
    path("sources/<int:source>/counts/days/", DayBooksView.as_view(), name="source-counts-by-day"),
    path("sources/<int:source>/misuse/", MisuseView.as_view(), name="source-misuse"),
]
