"""Fields that name another object: foreign is unknown, seen but not yours is forbidden."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import PrimaryKeyRelatedField

from tracker.errors import Forbidden


class OperableField(PrimaryKeyRelatedField[Any]):
    """The id of an object whose organisation the user operates.

    An id of another organisation is refused in the same words as one that does not exist. The
    queryset's manager answers `visible_to(user)` and `operable_by(user)`.
    """

    needed = "operable_by"

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows.visible_to(self.context["request"].user)

    def to_internal_value(self, data: Any) -> Any:
        named = super().to_internal_value(data)
        allowed = getattr(type(named)._default_manager, self.needed)(self.context["request"].user)
        if not allowed.filter(pk=named.pk).exists():
            raise Forbidden
        return named


class ManageableField(OperableField):
    """The id of an object whose people the user manages."""

    needed = "managed_by"
