"""Serializers of books and misuses."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class BooksSerializer(serializers.Serializer[Any]):
    received = serializers.IntegerField(source="counts.received")
    stored = serializers.IntegerField(source="counts.stored")
    duplicate = serializers.IntegerField(source="counts.duplicate")
    set_aside = serializers.IntegerField(source="counts.set_aside")
    refused = serializers.IntegerField(source="counts.refused")
    last_received_at = serializers.DateTimeField(allow_null=True)


class MisuseSerializer(serializers.Serializer[Any]):
    device_identifier = serializers.CharField(
        help_text="as named by the sender; empty for all beyond the first hundred"
    )
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    times = serializers.IntegerField()
