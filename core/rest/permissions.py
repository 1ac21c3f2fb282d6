"""Permissions to change an object. Visibility is decided by the querysets."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView


class MayOperate(IsAuthenticated):
    """Users who see an object may read it; operators of its organisation may change it.

    The model's manager has `operable_by(user)`. Creating is checked by the fields that name the
    organisation, see `core.rest.fields`.
    """

    needed = "operable_by"

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        allowed = getattr(type(obj)._default_manager, self.needed)(request.user)
        return bool(allowed.filter(pk=obj.pk).exists())


class MayManage(MayOperate):
    """Only users who manage the people of the organisation may change an object."""

    needed = "managed_by"
