"""Who may change what they can see. Which rows those are, the querysets know.

`MayOperate` is the default of every view: reading is for everybody with a login, changing for
people who operate an organisation. A view that opens more says so itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request

if TYPE_CHECKING:
    # The framework imports this module, as its default, while it makes that one.
    from rest_framework.views import APIView


class MayOperate(IsAuthenticated):
    """Reading is for everybody who sees the object; changing for who operates its organisation.

    The model's manager answers `operable_by(user)`, the user `operates_any()`. Which organisation
    something new is made in is checked by the fields that name it, see `core.rest.fields`.
    """

    needed = "operable_by"
    needed_somewhere = "operates_any"

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return False
        # What the address does not know at all is answered as that.
        if request.method in SAFE_METHODS or request.method not in view.allowed_methods:
            return True
        return bool(getattr(request.user, self.needed_somewhere)())

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        allowed = getattr(type(obj)._default_manager, self.needed)(request.user)
        return bool(allowed.filter(pk=obj.pk).exists())


class MayManage(MayOperate):
    """Changing is for who manages the people of the organisation."""

    needed = "managed_by"
    needed_somewhere = "manages_any"


class IsOwn(IsAuthenticated):
    """For what belongs to the person who asks, such as their API tokens."""


class AsksOnly(IsAuthenticated):
    """For a POST that changes nothing: a question with a body."""
