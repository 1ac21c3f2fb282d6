"""What staff of the provider look at in the memory. Facts are not edited here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from unfold.admin import ModelAdmin

from tracker.positions.models import Misuse, Rejudging, SetAside
from tracker.positions.reading import misuses_of, uplinks_of

SHOWN_CHARS = 20_000


class ReadOnly(ModelAdmin):  # type: ignore[misc]
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SetAside)
class SetAsideAdmin(ReadOnly):
    """Uplinks that wait. To replay them takes the road, so that action is `tracker.ingest`'s."""

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
    actions: tuple[Any, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[SetAside]:
        return uplinks_of(request.user)

    @admin.display(description="body")
    def body_text(self, uplink: SetAside) -> str:
        return Truncator(bytes(uplink.body).decode("utf-8", "replace")).chars(SHOWN_CHARS)


@admin.register(Misuse)
class MisuseAdmin(ReadOnly):
    list_display = (
        "source", "organisation", "device_identifier", "times", "first_at", "last_at",
    )  # fmt: skip
    list_filter = ("organisation",)
    search_fields = ("=device_identifier", "source__name")
    ordering = ("-last_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Misuse]:
        return misuses_of(request.user).select_related("organisation")


@admin.register(Rejudging)
class RejudgingAdmin(ReadOnly):
    list_display = (
        "id", "organisation", "reason", "since", "assets_done", "assets_total", "settled_until",
        "asked_by", "created_at", "started_at", "finished_at",
    )  # fmt: skip
    list_filter = (("finished_at", admin.EmptyFieldListFilter), "organisation")
    list_select_related = ("organisation", "asked_by")
    search_fields = ("reason",)
    ordering = ("-pk",)
