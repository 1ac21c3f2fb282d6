"""Rules, alerts and notifications for the provider's admins: shown, and changed by actions only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline

from alerts import actions
from alerts.alert_texts import sentence_about
from alerts.models import Alert, AlertChange, AlertNotification, Recipient, Rule, RuleVersion
from core.admin import ActionAdmin
from outbox.admin import resend_chosen


class ReadOnly:
    """A page or inline on which rows are shown, not edited."""

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
    readonly_fields = ("recipients",)
    ordering = ("-version",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleVersion]:
        versions: QuerySet[RuleVersion] = RuleVersion.objects.with_addresses()
        return versions.order_by(*self.ordering)

    @admin.display
    def recipients(self, version: RuleVersion) -> str:
        return ", ".join(version.addresses)  # type: ignore[attr-defined]


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


@admin.register(Recipient)
class RecipientAdmin(ActionAdmin):
    list_display = ("address", "name", "organisation", "channel", "is_active", "created_at")
    list_filter = ("is_active", "channel", "organisation")
    list_select_related = ("organisation",)
    search_fields = ("address", "name")
    fields = ("organisation", "address", "name", "is_active")
    fixed = ("organisation", "address")

    def save_through_action(
        self, request: HttpRequest, row: Recipient, asked: dict[str, Any], *, is_new: bool
    ) -> Recipient:
        if is_new:
            return actions.add_recipient(**asked)
        return actions.change_recipient(recipient=row, **asked)


class ChangeInline(ReadOnly, TabularInline):  # type: ignore[misc]
    model = AlertChange
    fields = ("number", "change", "previous_at", "by", "recorded_at")
    ordering = ("number",)
    extra = 0


def _column(name: str) -> Callable[[AlertNotification], Any]:
    """Return a column that shows a field of the notification in the outbox."""

    @admin.display(description=name.replace("_", " "), ordering=f"notification__{name}")
    def column(row: AlertNotification) -> Any:
        display = getattr(row.notification, f"get_{name}_display", None)
        return display() if display else getattr(row.notification, name)

    column.__name__ = name
    return column


class NotificationInline(ReadOnly, TabularInline):  # type: ignore[misc]
    model = AlertNotification
    fields = readonly_fields = (
        _column("address"), "reason", _column("state"), _column("attempts"),
        _column("next_try_at"), _column("last_error"), _column("sent_at"),
    )  # fmt: skip
    ordering = ("change_id",)
    show_change_link = True
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertNotification]:
        rows: QuerySet[AlertNotification] = super().get_queryset(request)
        return rows.select_related("notification")


@admin.register(Alert)
class AlertAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = (
        "id", "at", "organisation", "asset", "kind", "geofence", "rule", "state", "late",
        "has_recipient",
    )  # fmt: skip
    list_filter = ("state", "kind", "is_late", "has_no_recipient", "organisation")
    list_select_related = ("organisation", "rule", "asset", "geofence")
    search_fields = ("rule__name", "asset__name", "geofence__name")
    date_hierarchy = "at"
    inlines = (ChangeInline, NotificationInline)

    @admin.display(ordering="is_late")
    def late(self, alert: Alert) -> str:
        return "late" if alert.is_late else ""

    @admin.display(description="has recipient", boolean=True)
    def has_recipient(self, alert: Alert) -> bool:
        # The opposite of the column: a missing recipient is shown as a red cross.
        return not alert.has_no_recipient


@admin.register(AlertNotification)
class AlertNotificationAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = (
        _column("address"), "about", "reason", _column("state"), _column("attempts"),
        _column("created_at"), _column("next_try_at"), _column("last_error"),
    )  # fmt: skip
    list_filter = ("notification__state", "reason", "notification__channel")
    search_fields = ("=notification__id", "notification__address")
    list_select_related = ("notification", "alert__asset", "alert__geofence")
    ordering = ("-change_id",)
    fields = readonly_fields = ("alert", "change", "recipient", "reason", "attempts")
    actions = ("resend",)

    @admin.display(description="about")
    def about(self, row: AlertNotification) -> str:
        alert = row.alert
        is_withdrawn = alert.state == Alert.State.WITHDRAWN
        return _link("alerts_alert", alert.pk, sentence_about(alert, is_withdrawn=is_withdrawn))

    @admin.display(description="attempts")
    def attempts(self, row: AlertNotification) -> str:
        return _link("outbox_notification", row.pk, row.notification)

    @admin.action(description="Try once more, now")
    def resend(self, request: HttpRequest, chosen: QuerySet[AlertNotification]) -> None:
        resend_chosen(self, request, [row.notification for row in chosen])


def _link(page: str, pk: object, text: object) -> str:
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
        reverse(f"admin:{page}_change", args=[pk]),
        text,
    )
