"""The admin of people and organisations; it changes them through the actions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import actions
from accounts.models import ApiToken, AuditEntry, Membership, Organisation, User
from accounts.roles import person_of
from core.admin import ActionAdmin, ReadOnlyAdmin, show_secret_once


@admin.register(User)
class UserAdmin(ActionAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
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
                username=asked["username"],
                password=asked.get("password1") or None,
                by=person_of(request),
            )
        actions.change_name(user=row, first_name=asked["first_name"], last_name=asked["last_name"])
        return actions.change_user(
            user=User.objects.get(pk=row.pk),
            username=asked["username"],
            email=asked["email"],
            is_active=asked["is_active"],
            staff_role=asked["staff_role"],
            by=person_of(request),
        )


@admin.register(Organisation)
class OrganisationAdmin(ActionAdmin):
    list_display = ("name", "time_zone", "created_at")
    search_fields = ("name",)
    fields = ("name", "time_zone")

    def save_through_action(
        self, request: HttpRequest, row: Organisation, asked: dict[str, Any], *, is_new: bool
    ) -> Organisation:
        if is_new:
            return actions.create_organisation(**asked, by=person_of(request))
        return actions.change_organisation(organisation=row, **asked, by=person_of(request))


@admin.register(Membership)
class MembershipAdmin(ActionAdmin):
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
            return actions.add_member(**asked, by=person_of(request))
        present = Membership.objects.get(pk=row.pk)
        return actions.change_role(membership=present, role=asked["role"], by=person_of(request))


@admin.register(ApiToken)
class ApiTokenAdmin(ActionAdmin):
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
        saved, token = actions.issue_api_token(**asked, by=person_of(request))
        show_secret_once(request, "API token", token)
        return saved

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, rows: QuerySet[ApiToken]) -> None:
        for token in rows:
            actions.revoke_api_token(token=token, by=person_of(request))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "verb", "subject_name", "organisation", "by_name")
    list_filter = ("verb", "organisation")
    list_select_related = ("organisation",)
    search_fields = ("=subject_id", "subject_name", "by_name")
    ordering = ("-pk",)
