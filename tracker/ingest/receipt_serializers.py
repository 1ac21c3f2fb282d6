"""The receipt as the OpenAPI document describes it; `replies` renders it."""

from __future__ import annotations

from typing import Any, get_args

from rest_framework import serializers

from core.rest.bodies import StrictBody
from tracker.road.delivery import Disposition


class FirstPositionSerializer(StrictBody, serializers.Serializer[Any]):
    device = serializers.IntegerField()
    measured_at = serializers.DateTimeField()


class ResultSerializer(StrictBody, serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="place in the list that was sent")
    disposition = serializers.ChoiceField(get_args(Disposition))
    code = serializers.CharField(required=False, help_text="why it was not stored")
    position = FirstPositionSerializer(
        required=False, help_text="of a duplicate: the one that is stored"
    )


class ReceiptFaultSerializer(StrictBody, serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="RFC 6901, into the body")
    code = serializers.CharField()
    detail = serializers.CharField()


class ReceiptSerializer(StrictBody, serializers.Serializer[Any]):
    disposition = serializers.ChoiceField(
        get_args(Disposition), required=False, help_text="where there is one observation only"
    )
    received = serializers.IntegerField(help_text="the sum of the others")
    stored = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    set_aside = serializers.IntegerField()
    refused = serializers.IntegerField()
    spooled = serializers.IntegerField()
    results = ResultSerializer(many=True, required=False, help_text="unless all were stored")
    errors = ReceiptFaultSerializer(many=True)  # type: ignore[assignment]
    error_count = serializers.IntegerField(
        required=False, help_text="where there are more than the hundred in `errors`"
    )
