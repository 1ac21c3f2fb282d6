"""Who may change what they can see. Which rows those are, the querysets know."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView


class MayOperate(IsAuthenticated):
    """Reading is for everybody who sees the object; changing for who operates its organisation.

    The model's manager answers `operable_by(user)`. Creating is checked by the fields that name
    the organisation, see `core.rest.fields`.
    """

    needed = "operable_by"

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        allowed = getattr(type(obj)._default_manager, self.needed)(request.user)
        return bool(allowed.filter(pk=obj.pk).exists())


class MayManage(MayOperate):
    """Changing is for who manages the people of the organisation."""

    needed = "managed_by"
