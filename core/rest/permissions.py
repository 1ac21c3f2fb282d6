"""Permissions to change an object. Visibility is decided by the querysets.

`MayOperate` is the default of every view: every user may read, and operators of an organisation
may change. A view that allows more declares it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request

if TYPE_CHECKING:
    # The framework imports this module, as its default, while it makes that one.
    from rest_framework.views import APIView


class MayOperate(IsAuthenticated):
    """Users who see an object may read it; operators of its organisation may change it.

    The model's manager has `operable_by(user)`, the user `operates_any()`. Creating is checked by
    the fields that name the organisation, see `core.rest.fields`.
    """

    needed = "operable_by"
    needed_somewhere = "operates_any"

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return False
        # A method that the view does not have is answered with 405 by the view.
        if request.method in SAFE_METHODS or request.method not in view.allowed_methods:
            return True
        return bool(getattr(request.user, self.needed_somewhere)())

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        allowed = getattr(type(obj)._default_manager, self.needed)(request.user)
        return bool(allowed.filter(pk=obj.pk).exists())


class MayManage(MayOperate):
    """Only users who manage the people of the organisation may change an object."""

    needed = "managed_by"
    needed_somewhere = "manages_any"


class IsOwn(IsAuthenticated):
    """For objects of the user of the request, such as their API tokens."""


class AsksOnly(IsAuthenticated):
    """For a POST that changes nothing: a query with a body."""
