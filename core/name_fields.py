"""The column of a name that people give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

from core.names import is_printable

if TYPE_CHECKING:
    _TextColumn = models.CharField[str, str]
else:
    _TextColumn = models.CharField


def require_printable(name: str) -> None:
    """Raise ValidationError for a name with control characters or line breaks."""
    if not is_printable(name):
        raise ValidationError(
            "Control characters and line breaks are refused.", code="forbidden-character"
        )


class NameColumn(_TextColumn):
    """Text for people, checked alike by forms of the admin and serializers of the API."""

    default_validators = [require_printable]

    def deconstruct(self) -> Any:
        """Return a plain column for migrations: the check is none of the database's."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
