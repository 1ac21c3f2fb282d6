"""The REST API of uplinks: the books of a source and the misuse of its token."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assets.models import Source
from uplinks.serializers import BooksSerializer, MisuseSerializer
from uplinks.uplink_queries import books_of, misuses_of


class BooksView(APIView):
    @extend_schema(operation_id="sources_counts", responses=BooksSerializer)
    def get(self, request: Request, source: int) -> Response:
        """The books of a source: received is the sum of the other counts.

        For owners and operators.
        """
        row = get_object_or_404(Source.objects.operable_by(request.user), pk=source)
        return Response(BooksSerializer(books_of(row)).data)


class MisuseView(APIView):
    @extend_schema(operation_id="sources_misuse", responses=MisuseSerializer(many=True))
    def get(self, request: Request, source: int) -> Response:
        """Other devices that were named under this source's token; the latest first.

        For owners and operators. At most 101 rows.
        """
        row = get_object_or_404(Source.objects.operable_by(request.user), pk=source)
        rows = misuses_of(request.user).filter(source=row)
        return Response(MisuseSerializer(rows, many=True).data)


urls = [
    path("sources/<int:source>/counts/", BooksView.as_view(), name="source-counts"),
    path("sources/<int:source>/misuse/", MisuseView.as_view(), name="source-misuse"),
]
