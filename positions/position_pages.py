"""Pages of positions, in the order of facts."""

from __future__ import annotations

import binascii
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from core.errors import Fault, Refused
from core.fact_order import FactKey, key_of_bytes
from core.observation import instant
from core.rest.cursor_pages import NewestFirst
from positions.position_queries import PositionRow

MAX_ID = (1 << 63) - 1


class NewestMoment(NewestFirst):
    """Newest first, forwards only. A cursor is the key of a fact; it grants no access."""

    _next: str | None = None

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        """Return a page of `queryset`, which is `DeviceSpans`."""
        size = self.get_page_size(request) or 1
        cursor = request.query_params.get(self.cursor_query_param)
        before = None if cursor is None else _key_of(cursor)
        rows: list[PositionRow] = queryset.page(before=before, limit=size + 1)
        if len(rows) > size:
            here = request.build_absolute_uri()
            self._next = replace_query_param(
                here, self.cursor_query_param, _cursor_of(rows[size - 1].key)
            )
        return rows[:size]

    def get_next_link(self) -> str | None:
        return self._next

    def get_previous_link(self) -> str | None:
        return None


def _cursor_of(key: FactKey) -> str:
    return urlsafe_b64encode(key.to_bytes()).decode().rstrip("=")


def _key_of(cursor: str) -> FactKey:
    try:
        key = key_of_bytes(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        instant(key.at_us)
        instant(key.reported_us)
    except (ValueError, OverflowError, binascii.Error, struct.error) as error:
        raise _not_a_cursor() from error
    if key.device_id > MAX_ID or key.message > MAX_ID:
        raise _not_a_cursor()
    return key


def _not_a_cursor() -> Refused:
    fault = Fault(pointer="/query/cursor", code="invalid", detail="Not a cursor.")
    return Refused(code="invalid-cursor", faults=(fault,))
