"""Rules, alerts and notifications for the provider's admins: shown, and changed by actions only."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline

from alerts import actions, outbox
from alerts.mail import sentence_about
from alerts.models import Alert, AlertChange, Notification, NotificationAttempt, Rule, RuleVersion
from alerts.nudging import nudge
from core.errors import Conflict


class ReadOnly:
    """Facts and consequences are looked at here, not edited."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class VersionInline(ReadOnly, TabularInline):  # type: ignore[misc]
    model = RuleVersion
    fields = (
        "version", "trigger", "geofence", "severity", "recipients", "is_active", "quiet_from",
        "quiet_until", "time_zone", "valid_from", "valid_to",
    )  # fmt: skip
    ordering = ("-version",)
    extra = 0


@admin.register(Rule)
class RuleAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("name", "organisation", "created_at", "retired_at")
    list_filter = (("retired_at", admin.EmptyFieldListFilter), "organisation")
    list_select_related = ("organisation",)
    search_fields = ("name",)
    inlines = (VersionInline,)
    actions = ("retire",)

    @admin.action(description="Retire")
    def retire(self, request: HttpRequest, rules: QuerySet[Rule]) -> None:
        for rule in rules.filter(retired_at=None):
            actions.retire_rule(rule=rule)


class ChangeInline(ReadOnly, TabularInline):  # type: ignore[misc]
    model = AlertChange
    fields = ("number", "change", "was_at", "by", "recorded_at")
    ordering = ("number",)
    extra = 0


class NotificationInline(ReadOnly, TabularInline):  # type: ignore[misc]
    model = Notification
    fields = ("recipient", "reason", "state", "attempts", "next_try_at", "last_error", "sent_at")
    ordering = ("created_at",)
    show_change_link = True
    extra = 0


@admin.register(Alert)
class AlertAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = (
        "id", "at", "organisation", "asset", "kind", "geofence", "rule", "state", "late", "is_told",
    )  # fmt: skip
    list_filter = ("state", "kind", "is_late", "told_nobody", "organisation")
    list_select_related = ("organisation", "rule", "asset", "geofence")
    search_fields = ("rule__name", "asset__name", "geofence__name")
    date_hierarchy = "at"
    inlines = (ChangeInline, NotificationInline)

    @admin.display(ordering="is_late")
    def late(self, alert: Alert) -> str:
        return "late" if alert.is_late else ""

    @admin.display(description="told", boolean=True)
    def is_told(self, alert: Alert) -> bool:
        """The mark of a good thing should not be a red cross."""
        return not alert.told_nobody


class AttemptInline(ReadOnly, TabularInline):  # type: ignore[misc]
    model = NotificationAttempt
    fields = ("number", "started_at", "outcome", "detail")
    ordering = ("number",)
    extra = 0


@admin.register(Notification)
class NotificationAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = (
        "recipient", "about", "reason", "state", "attempts", "created_at", "next_try_at",
        "last_error",
    )  # fmt: skip
    list_filter = ("state", "reason", "sender")
    search_fields = ("=id", "recipient")
    list_select_related = ("alert__asset", "alert__geofence")
    ordering = ("-created_at",)
    inlines = (AttemptInline,)
    actions = ("resend",)

    @admin.display(description="about")
    def about(self, notification: Notification) -> str:
        alert = notification.alert
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
            reverse("admin:alerts_alert_change", args=[alert.pk]),
            sentence_about(alert, is_withdrawn=alert.state == Alert.State.WITHDRAWN),
        )

    @admin.action(description="Try once more, now")
    def resend(self, request: HttpRequest, notifications: QuerySet[Notification]) -> None:
        ids = []
        for notification in notifications:
            try:
                ids.append(outbox.resend_notification(notification=notification).pk)
            except Conflict as refusal:
                self.message_user(request, f"{notification.pk}: {refusal}", messages.WARNING)
        transaction.on_commit(partial(nudge, ids))
