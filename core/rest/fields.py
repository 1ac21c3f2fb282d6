"""Serializer fields that check strictly: times with a zone, objects that the user may change.

An object of another organisation is unknown; an object that the user sees but may not change is
forbidden.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from rest_framework.serializers import DateTimeField, PrimaryKeyRelatedField, ValidationError

from core.errors import Forbidden

ZONE = re.compile(r"([zZ]|[+-]\d\d:?\d\d)$")


class InstantField(DateTimeField):
    """A time with its zone, as RFC 3339 asks; the zone is never guessed."""

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str) and not ZONE.search(value.strip()):
            raise ValidationError("A time says its zone: Z or +01:00.", code="time-without-zone")
        return super().to_internal_value(value)


class OperableField(PrimaryKeyRelatedField[Any]):
    """The id of an object whose organisation the user operates.

    An id of another organisation is refused in the same words as an id that does not exist. The
    queryset's manager has `visible_to(user)` and `operable_by(user)`.
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
