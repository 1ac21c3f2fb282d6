"""The admin of geofences, to read, rename and end them. They are drawn in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from accounts.roles import person_of
from geofence import actions
from geofence.models import Crossing, Geofence, GeofenceVersion


class GeofenceVersionInline(TabularInline):  # type: ignore[misc]
    model = GeofenceVersion
    extra = 0
    can_delete = False
    ordering = ("-valid_from",)
    fields = readonly_fields = (
        "valid_from",
        "valid_to",
        "shape_type",
        "inradius_m",
        "persist_fixes",
        "persist_s",
        "judges_pass_through",
        "recorded_at",
    )

    @admin.display(description="shape")
    def shape_type(self, version: GeofenceVersion) -> str:
        return str(version.shape.get("type", ""))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Geofence)
class GeofenceAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("name", "organisation", "created_at", "deleted_at")
    list_filter = (("deleted_at", admin.EmptyFieldListFilter),)
    list_select_related = ("organisation",)
    search_fields = ("name", "organisation__name")
    fields = ("name", "colour", "organisation", "created_at", "deleted_at")
    readonly_fields = ("organisation", "created_at", "deleted_at")
    inlines = (GeofenceVersionInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Geofence | None = None) -> bool:
        is_there = obj is None or obj.deleted_at is None
        return is_there and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Geofence | None = None) -> bool:
        is_there = obj is None or obj.deleted_at is None
        return is_there and bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: Geofence, form: Any, change: bool) -> None:
        actions.rename_geofence(geofence=obj, name=obj.name, colour=obj.colour)

    def delete_model(self, request: HttpRequest, obj: Geofence) -> None:
        actions.delete_geofence(geofence=obj, by=person_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Geofence]) -> None:
        for geofence in queryset.filter(deleted_at__isnull=True):
            actions.delete_geofence(geofence=geofence, by=person_of(request))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Describe the real effect: the geofence ends, and nothing else is deleted."""
        names = [f"Geofence {geofence}: ends now, its crossings stay" for geofence in objs]
        return names, {"geofences": len(names)}, set(), []


@admin.register(Crossing)
class CrossingAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("asset", "kind", "geofence", "at", "is_late", "withdrawn_at")
    list_filter = ("kind", "is_late")
    list_select_related = ("asset", "geofence")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Crossing | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Crossing | None = None) -> bool:
        return False
