"""Cursor pages of a list: stable while rows are added, and the last as fast as the first."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from core.errors import Fault, Refused


class NewestFirst(CursorPagination):
    """Newest first. `page_size` above the maximum means the maximum; nonsense is a 400."""

    ordering = "-pk"
    page_size_query_param = "page_size"
    max_page_size = 1000

    def get_page_size(self, request: Request) -> int | None:
        text = request.query_params.get("page_size")
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdigit() and 0 < len(text) < 20 and int(text) > 0):
            fault = Fault(pointer="/query/page_size", code="invalid", detail="Not a page size.")
            raise Refused("page_size is 1 to 1000.", code="invalid-parameter", faults=(fault,))
        return min(int(text), self.max_page_size)

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, ValueError, TypeError, OverflowError, ValidationError) as error:
            if self.cursor_query_param not in request.query_params:
                raise
            fault = Fault(pointer="/query/cursor", code="invalid", detail="Not a cursor.")
            raise Refused(code="invalid-cursor", faults=(fault,)) from error
