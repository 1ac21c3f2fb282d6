"""The admin of uplinks set aside and of misused tokens, for staff, to read only."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator

from core.admin import ReadOnlyAdmin
from uplinks.models import Misuse, SetAside
from uplinks.uplink_queries import misuses_of, uplinks_of

SHOWN_CHARS = 20_000


class UplinkAdmin(ReadOnlyAdmin):
    """Uplinks that were set aside. Registered by `tracker.admin`, since a replay takes the road."""

    list_display = (
        "id", "received_at", "organisation", "source", "reason", "device_identifier",
        "observations", "replayed_at",
    )  # fmt: skip
    list_filter = (("replayed_at", admin.EmptyFieldListFilter), "reason", "organisation")
    list_select_related = ("organisation", "source")
    search_fields = ("=device_identifier", "source__name")
    ordering = ("-pk",)
    fields = readonly_fields = (
        "organisation", "source", "received_at", "reason", "detail", "device_identifier",
        "observations", "content_type", "query", "headers", "body_text", "replayed_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[SetAside]:
        return uplinks_of(request.user)

    @admin.display(description="body")
    def body_text(self, uplink: SetAside) -> str:
        return Truncator(bytes(uplink.body).decode("utf-8", "replace")).chars(SHOWN_CHARS)


@admin.register(Misuse)
class MisuseAdmin(ReadOnlyAdmin):
    list_display = (
        "source", "organisation", "device_identifier", "times", "first_at", "last_at",
    )  # fmt: skip
    list_filter = ("organisation",)
    search_fields = ("=device_identifier", "source__name")
    ordering = ("-last_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Misuse]:
        return misuses_of(request.user).select_related("organisation")
