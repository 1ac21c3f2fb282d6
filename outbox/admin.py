"""Notifications of every kind for the provider's admins: shown, and sent once more."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from core.admin import ReadOnlyAdmin
from core.errors import Conflict
from outbox.actions import resend_notification
from outbox.models import Notification, NotificationAttempt
from outbox.nudging import nudge


class AttemptInline(TabularInline):  # type: ignore[misc]
    model = NotificationAttempt
    fields = readonly_fields = ("number", "started_at", "outcome", "detail")
    ordering = ("number",)
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = (
        "address", "kind", "reference", "state", "attempts", "created_at", "next_try_at",
        "last_error",
    )  # fmt: skip
    list_filter = ("state", "kind", "channel")
    search_fields = ("=id", "address")
    ordering = ("-created_at",)
    inlines = (AttemptInline,)
    actions = ("resend",)

    @admin.action(description="Try once more, now")
    def resend(self, request: HttpRequest, notifications: QuerySet[Notification]) -> None:
        resend_chosen(self, request, notifications)


def resend_chosen(
    page: ModelAdmin, request: HttpRequest, notifications: Iterable[Notification]
) -> None:
    """Make each notification due now, and report the ones that cannot be resent."""
    ids = []
    for notification in notifications:
        try:
            ids.append(resend_notification(notification=notification).pk)
        except Conflict as refusal:
            page.message_user(request, f"{notification.pk}: {refusal}", messages.WARNING)
    transaction.on_commit(partial(nudge, ids))
