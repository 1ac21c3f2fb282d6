"""The admin of the memory, for staff of the provider, to read only."""

from __future__ import annotations

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from positions.models import Rejudging


@admin.register(Rejudging)
class RejudgingAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "organisation", "reason", "since", "assets_done", "assets_total", "settled_until",
        "asked_by", "created_at", "started_at", "finished_at",
    )  # fmt: skip
    list_filter = (("finished_at", admin.EmptyFieldListFilter), "organisation")
    list_select_related = ("organisation", "asked_by")
    search_fields = ("reason",)
    ordering = ("-pk",)
