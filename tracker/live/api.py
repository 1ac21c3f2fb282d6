"""The live map at once, for those who do not listen."""

from __future__ import annotations

import time
from typing import cast

import orjson
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import Organisation, User
from positions import latest
from tracker.live import frames


def _integers(help_text: str, *, allow_null: bool = True) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.IntegerField(allow_null=allow_null), help_text=help_text
    )


class LiveColumnsSerializer(serializers.Serializer[None]):
    """Equally long lists, one entry an asset."""

    id = _integers("asset id", allow_null=False)
    lon_e7 = _integers("1e-7 degree")
    lat_e7 = _integers("1e-7 degree")
    fix_at = _integers("ms since 1970 of the fix")
    measured_at = _integers("ms since 1970 of the newest observation")
    received_at = _integers("ms since 1970")
    speed_mms = _integers("mm/s")
    course_cdeg = _integers("0.01 degree")
    accuracy_dm = _integers("0.1 m")
    method = serializers.ListField(child=serializers.CharField(allow_null=True))
    battery = _integers("per cent")


class LiveSnapshotSerializer(serializers.Serializer[None]):
    type = serializers.ChoiceField(choices=["snapshot"])
    epoch = serializers.CharField(allow_null=True, help_text="null: no stream follows")
    seq = serializers.IntegerField()
    server_time = serializers.IntegerField(help_text="ms since 1970")
    tick_ms = serializers.IntegerField()
    assets = LiveColumnsSerializer()


class LiveSnapshotView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="live_snapshot", responses=LiveSnapshotSerializer)
    def get(self, request: Request) -> HttpResponse:
        """Return the latest of every asset that you may see, as the live socket would."""
        user = cast("User", request.user)
        mine = Organisation.objects.visible_to(user).values_list("pk", flat=True)
        rows = latest.columns(None if user.is_provider else list(mine))
        text = frames.snapshot(
            orjson.dumps(rows.as_lists()).decode(),
            epoch=None,
            seq=0,
            server_time=time.time_ns() // 1_000_000,
            tick_ms=settings.LIVE_TICK_MS,
        )
        return HttpResponse(text, content_type="application/json")


urls = [path("live/snapshot/", LiveSnapshotView.as_view(), name="live-snapshot")]
