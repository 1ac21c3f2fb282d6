"""The endpoint `uplinks` with the replay of uplinks that were set aside, which takes the road."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.rest.bodies import StrictBody
from tracker.ingest.receipt_serializers import ReceiptSerializer
from tracker.ingest.replay import ReplayResult, replay, replay_some
from tracker.ingest.replies import receipt_document
from uplinks.api import UplinkViewSet

MAX_REPLAYS = 100


class ReplaySerializer(ReceiptSerializer):
    uplink = serializers.IntegerField()
    is_taken_up = serializers.BooleanField(help_text="false: some of it still waits")


class ReplaysSerializer(StrictBody, serializers.Serializer[Any]):
    tried = serializers.IntegerField()
    taken_up = serializers.IntegerField()
    after = serializers.IntegerField(
        allow_null=True,
        help_text="the `after` of the next request, for uplinks not tried yet; else null",
    )
    replays = ReplaySerializer(many=True)


class ReplayQuery(StrictBody, serializers.Serializer[Any]):
    after = serializers.IntegerField(required=False, default=0, min_value=0, max_value=1 << 62)


class ReplayableUplinkViewSet(UplinkViewSet):
    @extend_schema(request=None, responses=ReplaySerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Replay an uplink as at its arrival. Observations still unusable stay set aside."""
        uplink = self.get_object()
        return Response(_document(replay(self.get_queryset(), uplink.pk)))

    @extend_schema(
        operation_id="uplinks_replay_some",
        request=None,
        parameters=[ReplayQuery],
        responses=ReplaysSerializer,
        filters=True,
    )
    @action(detail=False, methods=["post"], url_path="replay", pagination_class=None)
    def replay_some(self, request: Request) -> Response:
        """Replay waiting uplinks, oldest first, up to 100 in a request; filters as in the list."""
        asked = ReplayQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        uplinks = self.filter_queryset(self.get_queryset())
        done = replay_some(uplinks, after=asked.validated_data["after"], limit=MAX_REPLAYS)
        is_more = len(done) == MAX_REPLAYS
        answer = {
            "tried": len(done),
            "taken_up": sum(each.is_taken_up for each in done),
            "after": done[-1].uplink_id if is_more else None,
            "replays": [_document(each) for each in done],
        }
        return Response(answer)


def _document(done: ReplayResult) -> dict[str, Any]:
    document = {"uplink": done.uplink_id, "is_taken_up": done.is_taken_up}
    return document | receipt_document(done.receipt)
