"""`uplinks` with what takes the road: taking up again what was set aside."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tracker.ingest.receipts import ReceiptSerializer
from tracker.ingest.replay import Replay, replay, replay_some
from tracker.ingest.replies import receipt_document
from uplinks.api import UplinkViewSet

AT_ONCE = 100


class ReplaySerializer(ReceiptSerializer):
    uplink = serializers.IntegerField()
    is_taken_up = serializers.BooleanField(help_text="false: some of it still waits")


class ReplaysSerializer(serializers.Serializer[Any]):
    tried = serializers.IntegerField()
    taken_up = serializers.IntegerField()
    after = serializers.IntegerField(
        allow_null=True, help_text="to send again with, for those that were not tried; else null"
    )
    replays = ReplaySerializer(many=True)


class ReplayQuery(serializers.Serializer[Any]):
    after = serializers.IntegerField(required=False, default=0, min_value=0, max_value=1 << 62)


class ReplayableUplinkViewSet(UplinkViewSet):
    @extend_schema(request=None, responses=ReplaySerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Read an uplink again, as if it had arrived then.

        What still cannot be used goes on waiting.
        """
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
        """Replay uplinks that wait, oldest first, up to 100 at once; filters as in the list."""
        asked = ReplayQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        uplinks = self.filter_queryset(self.get_queryset())
        done = replay_some(uplinks, after=asked.validated_data["after"], limit=AT_ONCE)
        is_more = len(done) == AT_ONCE
        answer = {
            "tried": len(done),
            "taken_up": sum(each.is_taken_up for each in done),
            "after": done[-1].uplink_id if is_more else None,
            "replays": [_document(each) for each in done],
        }
        return Response(answer)


def _document(done: Replay) -> dict[str, Any]:
    document = {"uplink": done.uplink_id, "is_taken_up": done.is_taken_up}
    return document | receipt_document(done.receipt)
