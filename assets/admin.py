"""The admin of who and what: shows everything, changes things through the actions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from assets import actions
from assets.models import (
    ApiToken,
    Asset,
    Assignment,
    Device,
    Membership,
    Organisation,
    Source,
    User,
)
from assets.roles import person_of
from assets.serializers import ingest_url
from core.errors import Refused

OVERLAP_S = 86_400

admin.site.site_title = "Tracker"
admin.site.site_header = "Tracker"
admin.site.index_title = "Administration"
# Rights come from `staff_role` and memberships; groups would be a second, unheeded way.
admin.site.unregister(Group)


class ThroughActions(ModelAdmin):  # type: ignore[misc]
    """Saves by `save_through_action`; what that refuses is told, and nothing is saved.

    Rows are not deleted here unless a subclass says how: history hangs on them.
    """

    list_per_page = 50
    show_full_result_count = False
    # Fields that are for good once the row exists.
    fixed: tuple[str, ...] = ()

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse | HttpResponseRedirect:
        try:
            response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except Refused as error:
            messages.error(request, error.detail)
            return HttpResponseRedirect(request.get_full_path())
        return response

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = tuple(super().get_readonly_fields(request, obj))
        return shown if obj is None else (*shown, *self.fixed)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        saved = self.save_through_action(request, obj, form.cleaned_data, is_new=not change)
        obj.pk = saved.pk
        obj.refresh_from_db()

    def save_through_action(
        self, request: HttpRequest, row: Any, asked: dict[str, Any], *, is_new: bool
    ) -> Model:
        raise NotImplementedError

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def show_once(request: HttpRequest, what: str, secret: str) -> None:
    messages.warning(request, f"{what}: {secret} (shown only now; copy it)")


@admin.register(User)
class UserAdmin(ThroughActions, DjangoUserAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "staff_role", "is_active", "last_login")
    list_filter = ("staff_role", "is_active")
    search_fields = ("username", "email", "first_name", "last_name")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Rights", {"fields": ("staff_role", "is_active")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "usable_password", "password1", "password2")}),)

    def save_through_action(
        self, request: HttpRequest, row: User, asked: dict[str, Any], *, is_new: bool
    ) -> User:
        if is_new:
            return actions.create_user(
                username=asked["username"], password=asked.get("password1") or None
            )
        actions.change_name(user=row, first_name=asked["first_name"], last_name=asked["last_name"])
        return actions.change_user(
            user=User.objects.get(pk=row.pk),
            username=asked["username"],
            email=asked["email"],
            is_active=asked["is_active"],
            staff_role=asked["staff_role"],
        )


@admin.register(Organisation)
class OrganisationAdmin(ThroughActions):
    list_display = ("name", "time_zone", "created_at")
    search_fields = ("name",)
    fields = ("name", "time_zone")

    def save_through_action(
        self, request: HttpRequest, row: Organisation, asked: dict[str, Any], *, is_new: bool
    ) -> Organisation:
        if is_new:
            return actions.create_organisation(**asked)
        return actions.change_organisation(organisation=row, **asked)


@admin.register(Membership)
class MembershipAdmin(ThroughActions):
    list_display = ("user", "organisation", "role")
    list_filter = ("role",)
    list_select_related = ("user", "organisation")
    search_fields = ("user__username", "user__email", "organisation__name")
    autocomplete_fields = ("user", "organisation")
    fixed = ("user", "organisation")

    def save_through_action(
        self, request: HttpRequest, row: Membership, asked: dict[str, Any], *, is_new: bool
    ) -> Membership:
        if is_new:
            return actions.add_member(**asked)
        present = Membership.objects.get(pk=row.pk)
        return actions.change_role(membership=present, role=asked["role"])


@admin.register(ApiToken)
class ApiTokenAdmin(ThroughActions):
    list_display = ("name", "user", "prefix", "created_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username", "prefix")
    autocomplete_fields = ("user",)
    fields = ("user", "name")
    fixed = ("user", "name")
    actions = ("revoke",)

    def save_through_action(
        self, request: HttpRequest, row: ApiToken, asked: dict[str, Any], *, is_new: bool
    ) -> ApiToken:
        if not is_new:
            return row
        saved, token = actions.issue_api_token(**asked)
        show_once(request, "API token", token)
        return saved

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, rows: QuerySet[ApiToken]) -> None:
        for token in rows:
            actions.revoke_api_token(token=token)


class Span:
    """Shows since when and until when, where a row holds both in one column."""

    @admin.display(description="since", ordering="during__startswith")
    def since(self, row: Assignment) -> datetime | str | None:
        lower = row.during.lower
        return "ever" if lower is not None and lower <= actions.DISTANT_PAST else lower

    @admin.display(description="until", empty_value="still")
    def until(self, row: Assignment) -> datetime | None:
        upper: datetime | None = row.during.upper
        return upper


class PresentAssignments(Span, TabularInline):  # type: ignore[misc]
    """What is and was assigned, newest first, to be seen only."""

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
    """Give each row a list `present` of its assignments of now, with the `other` end loaded."""
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
class AssetAdmin(ThroughActions):
    list_display = ("name", "organisation", "kind", "tags", "devices", "archived_at")
    list_filter = ("organisation", "kind", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("organisation",)
    search_fields = ("name", "organisation__name", "assignments__device__identifier")
    autocomplete_fields = ("organisation",)
    fields = ("organisation", "name", "kind", "tags", "expected_interval_s")
    fixed = ("organisation",)
    inlines = (PresentAssignments,)
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


@admin.register(Device)
class DeviceAdmin(ThroughActions):
    list_display = ("identifier", "name", "model", "organisation", "on_asset", "created_at")
    list_filter = ("organisation", "model")
    list_select_related = ("organisation",)
    search_fields = ("identifier", "name", "organisation__name")
    autocomplete_fields = ("organisation",)
    fields = ("organisation", "identifier", "name", "model")
    fixed = ("organisation", "identifier")
    inlines = (PresentAssignments,)

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
class AssignmentAdmin(Span, ThroughActions):
    """Deleting takes back an assignment that never was true."""

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
        return bool(super(ThroughActions, self).has_delete_permission(request, obj))

    def delete_model(self, request: HttpRequest, obj: Assignment) -> None:
        actions.withdraw_assignment(assignment=obj, by=person_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> None:
        for assignment in queryset.select_related("device"):
            actions.withdraw_assignment(assignment=assignment, by=person_of(request))


@admin.register(Source)
class SourceAdmin(ThroughActions):
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
        show_once(request, "Address for the sender", ingest_url(source, token))
        return source

    @admin.action(description="New token; the old one lives on for a day")
    def rotate(self, request: HttpRequest, rows: QuerySet[Source]) -> None:
        for source in rows.filter(revoked_at=None):
            token = actions.rotate_source_token(source=source, overlap_s=OVERLAP_S)
            show_once(request, str(source), ingest_url(source, token))

    @admin.action(description="Revoke, for good")
    def revoke(self, request: HttpRequest, rows: QuerySet[Source]) -> None:
        for source in rows:
            actions.revoke_source(source=source)
