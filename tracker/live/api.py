"""A snapshot of the live map over HTTP, for clients without a socket."""

from __future__ import annotations

import time
from typing import Any, cast

import orjson
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import Organisation, User
from core.rest.bodies import StrictBody
from positions import latest_columns
from positions.live_columns import LIVE_COLUMNS, LiveColumn
from tracker.live import frames


class LiveColumnsSerializer(StrictBody, serializers.Serializer[None]):
    """Equally long lists with an entry for each asset."""

    id = serializers.ListField(child=serializers.IntegerField(), help_text="asset id")

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {column.name: _list_of(column) for column in LIVE_COLUMNS}


def _list_of(column: LiveColumn) -> serializers.ListField:
    child: serializers.Field[Any, Any, Any, Any] = (
        serializers.ChoiceField(column.choices, allow_null=True)
        if column.choices
        else serializers.IntegerField(allow_null=True)
    )
    described = column.meaning if column.choices else f"{column.unit}: {column.meaning}"
    return serializers.ListField(child=child, help_text=described)


class LiveSnapshotSerializer(StrictBody, serializers.Serializer[None]):
    type = serializers.ChoiceField(choices=["snapshot"])
    epoch = serializers.CharField(allow_null=True, help_text="null: no stream follows")
    seq = serializers.IntegerField()
    server_time = serializers.IntegerField(help_text="ms since 1970")
    tick_ms = serializers.IntegerField()
    assets = LiveColumnsSerializer()


class LiveSnapshotView(APIView):
    @extend_schema(operation_id="live_snapshot", responses=LiveSnapshotSerializer)
    def get(self, request: Request) -> HttpResponse:
        """Return the latest state of every asset that you may see, as on the live socket."""
        user = cast("User", request.user)
        visible = Organisation.objects.visible_to(user).values_list("pk", flat=True)
        rows = latest_columns.read_columns(None if user.is_provider else list(visible))
        text = frames.snapshot(
            orjson.dumps(rows.as_lists()).decode(),
            epoch=None,
            seq=0,
            server_time=time.time_ns() // 1_000_000,
            tick_ms=settings.LIVE_TICK_MS,
        )
        return HttpResponse(text, content_type="application/json")


urls = [path("live/snapshot/", LiveSnapshotView.as_view(), name="live-snapshot")]
