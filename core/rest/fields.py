"""Serializer fields that check strictly: times with a zone, objects that the user may change.

An object of another organisation is unknown; an object that the user sees but may not change is
forbidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework.fields import empty
from rest_framework.serializers import (
    CharField,
    DateTimeField,
    PrimaryKeyRelatedField,
    ValidationError,
)

from core.errors import Forbidden
from core.name_fields import require_printable
from core.time_texts import ZoneMissingError, instant_of_text

NO_ZONE = "A time says its zone: Z or +01:00."
NO_TIME = (
    "RFC 3339 is expected, such as 2026-03-02T12:00:00Z. A plus sign in a query is percent-encoded."
)


class NameField(CharField):
    """Text for people: control characters and line breaks are refused."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.validators.append(require_printable)


class InstantField(DateTimeField):
    """A time with its zone, as RFC 3339 asks; the zone is never guessed."""

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        # The framework would take an empty parameter of a query for one that is missing.
        return dictionary.get(self.field_name, empty)

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return instant_of_text(value if isinstance(value, str) else "")
        except ZoneMissingError:
            raise ValidationError(NO_ZONE, code="time-without-zone") from None
        except ValueError:
            raise ValidationError(NO_TIME, code="not-a-time") from None


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
