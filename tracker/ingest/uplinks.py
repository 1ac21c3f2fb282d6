"""`uplinks`: what was set aside, why, and taking it up. For owners and operators."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import django_filters
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.observation import normal_identifier
from core.rest.filters import BooleanFilter
from tracker.ingest.receipts import ReceiptSerializer
from tracker.ingest.replay import Replay, replay, replay_some
from tracker.ingest.replies import receipt_document
from uplinks.uplink_queries import uplinks_of

AT_ONCE = 100


class UplinkSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    organisation = serializers.IntegerField(source="organisation_id")
    source = serializers.IntegerField(source="source_id")  # type: ignore[assignment]
    source_name = serializers.CharField(source="source.name")
    received_at = serializers.DateTimeField()
    reason = serializers.CharField(help_text="a code")
    detail = serializers.CharField()
    device_identifier = serializers.CharField(help_text="empty where none was read")
    observations = serializers.IntegerField(help_text="so many of it wait, where that is known")
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes of the body")
    preview = serializers.SerializerMethodField(help_text="the beginning of the body as text")
    replayed_at = serializers.DateTimeField(allow_null=True, help_text="null: waits")

    def get_preview(self, uplink: Any) -> str:
        return _text(uplink.preview)


class WholeUplinkSerializer(UplinkSerializer):
    query = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    body_text = serializers.SerializerMethodField(help_text="what is not UTF-8 is replaced")
    body_base64 = serializers.SerializerMethodField()

    def get_body_text(self, uplink: Any) -> str:
        return _text(uplink.body)

    def get_body_base64(self, uplink: Any) -> str:
        return b64encode(uplink.body).decode()


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


class UplinkFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = django_filters.NumberFilter()
    source = django_filters.NumberFilter()
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
        """One uplink with its whole body."""
        return Response(WholeUplinkSerializer(self.get_object()).data)

    @extend_schema(request=None, responses=ReplaySerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Read it again, as if it had arrived then. What still cannot be used goes on waiting."""
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
        """Take up those that wait, oldest first, up to 100 at once; filters as in the list."""
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


def _text(body: bytes) -> str:
    return bytes(body).decode("utf-8", "replace")
