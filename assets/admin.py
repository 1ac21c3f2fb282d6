"""The admin of assets, devices, assignments and sources; it changes them through the actions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from accounts.roles import person_of
from assets import actions
from assets.field_maps import json_of_rules, rules_of_json
from assets.models import Asset, Assignment, Device, Source
from assets.serializers import ingest_url
from core.admin import ActionAdmin, show_secret_once

OVERLAP_S = 86_400


class PeriodColumns:
    """Shows the beginning and the end of the period of a row in two columns."""

    @admin.display(description="since", ordering="during__startswith")
    def since(self, row: Assignment) -> datetime | str | None:
        lower = row.during.lower
        return "ever" if lower is not None and lower <= actions.DISTANT_PAST else lower

    @admin.display(description="until", empty_value="still")
    def until(self, row: Assignment) -> datetime | None:
        upper: datetime | None = row.during.upper
        return upper


class AssignmentInline(PeriodColumns, TabularInline):  # type: ignore[misc]
    """Present and past assignments, newest first, to read only."""

    model = Assignment
    extra = 0
    fields = ("device", "asset", "since", "until", "recorded_at")
    readonly_fields = fields
    ordering = ("-during",)
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def with_present(rows: QuerySet[Any], other: str) -> QuerySet[Any]:
    """Prefetch present assignments as the list `present`; `other` is their field to load."""
    now = Assignment.objects.filter(during__contains=timezone.now()).select_related(other)
    return rows.prefetch_related(Prefetch("assignments", queryset=now, to_attr="present"))


def links_to(rows: Iterable[Model]) -> str:
    return format_html_join(
        ", ",
        '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
        ((reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk]), row)
         for row in rows),
    )  # fmt: skip


@admin.register(Asset)
class AssetAdmin(ActionAdmin):
    list_display = ("name", "organisation", "kind", "tags", "devices", "archived_at")
    list_filter = ("organisation", "kind", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("organisation",)
    search_fields = ("name", "organisation__name", "assignments__device__identifier")
    autocomplete_fields = ("organisation",)
    fields = ("organisation", "name", "kind", "tags", "expected_interval_s")
    fixed = ("organisation",)
    inlines = (AssignmentInline,)
    actions = ("archive",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Asset]:
        return with_present(super().get_queryset(request), "device")

    @admin.display(description="devices")
    def devices(self, asset: Any) -> str:
        return links_to(assignment.device for assignment in asset.present)

    def save_through_action(
        self, request: HttpRequest, row: Asset, asked: dict[str, Any], *, is_new: bool
    ) -> Asset:
        if is_new:
            return actions.add_asset(**asked)
        return actions.change_asset(asset=row, by=person_of(request), **asked)

    @admin.action(description="Archive")
    def archive(self, request: HttpRequest, rows: QuerySet[Asset]) -> None:
        for asset in rows:
            actions.archive_asset(asset=asset, by=person_of(request))


class DeviceForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_field_map(self) -> list[dict[str, Any]]:
        try:
            return json_of_rules(rules_of_json(self.cleaned_data["field_map"] or []))
        except ValueError as error:
            raise forms.ValidationError(str(error), code="invalid") from error


@admin.register(Device)
class DeviceAdmin(ActionAdmin):
    form = DeviceForm
    list_display = ("identifier", "name", "model", "organisation", "on_asset", "created_at")
    list_filter = ("organisation", "model")
    list_select_related = ("organisation",)
    search_fields = ("identifier", "name", "organisation__name")
    autocomplete_fields = ("organisation",)
    fields = ("organisation", "identifier", "name", "model", "field_map", "week_rounds")
    fixed = ("organisation", "identifier")
    inlines = (AssignmentInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Device]:
        return with_present(super().get_queryset(request), "asset")

    @admin.display(description="on asset")
    def on_asset(self, device: Any) -> str:
        return links_to(assignment.asset for assignment in device.present)

    def save_through_action(
        self, request: HttpRequest, row: Device, asked: dict[str, Any], *, is_new: bool
    ) -> Device:
        if is_new:
            return actions.register_device(**asked)
        return actions.change_device(device=row, **asked)


class AssignmentForm(forms.ModelForm):  # type: ignore[type-arg]
    since = forms.SplitDateTimeField(widget=UnfoldAdminSplitDateTimeWidget, help_text="UTC")
    until = forms.SplitDateTimeField(
        widget=UnfoldAdminSplitDateTimeWidget, required=False, help_text="UTC; empty for still"
    )

    class Meta:
        model = Assignment
        fields = ("device", "asset")


class AssignmentEndForm(forms.ModelForm):  # type: ignore[type-arg]
    until = forms.SplitDateTimeField(widget=UnfoldAdminSplitDateTimeWidget, help_text="UTC")

    class Meta:
        model = Assignment
        fields: tuple[str, ...] = ()


@admin.register(Assignment)
class AssignmentAdmin(PeriodColumns, ActionAdmin):
    """Deleting withdraws an assignment that was never true."""

    list_display = ("device", "asset", "since", "until", "recorded_at")
    list_select_related = ("device", "asset")
    search_fields = ("device__identifier", "device__name", "asset__name")
    autocomplete_fields = ("device", "asset")
    readonly_fields = ("recorded_at",)
    fixed = ("device", "asset", "since")

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        kwargs["form"] = AssignmentForm if obj is None else AssignmentEndForm
        return super().get_form(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("device", "asset", "since", "until")
        return ("device", "asset", "since", "until", "recorded_at")

    def save_through_action(
        self, request: HttpRequest, row: Assignment, asked: dict[str, Any], *, is_new: bool
    ) -> Assignment:
        if is_new:
            made = actions.assign_device(**asked, by=person_of(request)).assignment
            assert made is not None
            return made
        actions.end_assignment(assignment=row, at=asked["until"], by=person_of(request))
        return row

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super(ActionAdmin, self).has_delete_permission(request, obj))

    def delete_model(self, request: HttpRequest, obj: Assignment) -> None:
        actions.withdraw_assignment(assignment=obj, by=person_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> None:
        for assignment in queryset.select_related("device"):
            actions.withdraw_assignment(assignment=assignment, by=person_of(request))


@admin.register(Source)
class SourceAdmin(ActionAdmin):
    list_display = ("name", "organisation", "wire_format", "device", "prefix", "revoked_at")
    list_filter = ("wire_format", "unknown_devices", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("organisation", "device")
    search_fields = ("name", "organisation__name", "prefix")
    autocomplete_fields = ("organisation", "device")
    fields = ("organisation", "name", "wire_format", "device", "unknown_devices")
    fixed = ("organisation", "wire_format", "device")
    actions = ("rotate", "revoke")

    def save_through_action(
        self, request: HttpRequest, row: Source, asked: dict[str, Any], *, is_new: bool
    ) -> Source:
        if not is_new:
            return actions.change_source(source=row, **asked)
        source, token = actions.add_source(**asked)
        show_secret_once(request, "Address for the sender", ingest_url(source, token))
        return source

    @admin.action(description="New token; the old one lives on for a day")
    def rotate(self, request: HttpRequest, rows: QuerySet[Source]) -> None:
        for source in rows.filter(revoked_at=None):
            token = actions.rotate_source_token(source=source, overlap_s=OVERLAP_S)
            show_secret_once(request, str(source), ingest_url(source, token))

    @admin.action(description="Revoke, for good")
    def revoke(self, request: HttpRequest, rows: QuerySet[Source]) -> None:
        for source in rows:
            actions.revoke_source(source=source)
