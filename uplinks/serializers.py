"""Serializers of recent uplinks, uplinks that were set aside, books and misuses."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from rest_framework import serializers

from core.rest.bodies import StrictBody


class RecentQuery(StrictBody, serializers.Serializer[Any]):
    source = serializers.IntegerField(  # type: ignore[assignment]
        required=False, min_value=0, max_value=1 << 62
    )
    device = serializers.CharField(required=False, help_text="identifier of a registered device")

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if len(asked) != 1:
            raise serializers.ValidationError("Name a source or a device.")
        return asked


class RecentUplinkSerializer(StrictBody, serializers.Serializer[Any]):
    source = serializers.IntegerField(source="source_id")  # type: ignore[assignment]
    received_at = serializers.DateTimeField()
    wire_format = serializers.CharField()
    message = serializers.CharField(help_text="what kind of message it was")
    size = serializers.IntegerField(help_text="bytes of the body, or of the query without one")
    devices = serializers.ListField(child=serializers.CharField(), help_text="at most ten")
    dispositions = serializers.DictField(
        child=serializers.IntegerField(), help_text="what became of its observations"
    )
    codes = serializers.ListField(
        child=serializers.CharField(), help_text="why some were not stored"
    )
    notes = serializers.DictField(help_text="by the decoder: radio, gateways, dropped readings")


class BooksSerializer(StrictBody, serializers.Serializer[Any]):
    received = serializers.IntegerField(source="counts.received")
    stored = serializers.IntegerField(source="counts.stored")
    duplicate = serializers.IntegerField(source="counts.duplicate")
    set_aside = serializers.IntegerField(source="counts.set_aside")
    refused = serializers.IntegerField(source="counts.refused")
    last_received_at = serializers.DateTimeField(allow_null=True)


class DayBooksSerializer(StrictBody, serializers.Serializer[Any]):
    day = serializers.DateField(help_text="of the receipt, in UTC")
    received = serializers.IntegerField(source="sum_received", help_text="the sum of the others")
    stored = serializers.IntegerField(source="sum_stored", help_text="new, and kept as positions")
    duplicate = serializers.IntegerField(source="sum_duplicate", help_text="known before")
    set_aside = serializers.IntegerField(
        source="sum_set_aside", help_text="kept until they can be used"
    )
    refused = serializers.IntegerField(source="sum_refused", help_text="wrong, and not kept")


class MisuseSerializer(StrictBody, serializers.Serializer[Any]):
    device_identifier = serializers.CharField(
        help_text="as named by the sender; empty for all beyond the first hundred"
    )
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    times = serializers.IntegerField()


class UplinkSerializer(StrictBody, serializers.Serializer[Any]):
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


def _text(body: bytes) -> str:
    return bytes(body).decode("utf-8", "replace")
