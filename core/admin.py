"""Base classes of the admin: one to show rows only, one that saves through an action."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from core.errors import Refused


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ActionAdmin(ModelAdmin):  # type: ignore[misc]
    """Saves by `save_through_action`; a refusal is shown as a message, and nothing is saved.

    Rows are not deleted here unless a subclass says how: history refers to them.
    """

    list_per_page = 50
    show_full_result_count = False
    # Fields that cannot change once the row exists.
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


def show_secret_once(request: HttpRequest, label: str, secret: str) -> None:
    messages.warning(request, f"{label}: {secret} (shown only now; copy it)")
