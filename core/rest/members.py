"""The members that a serializer accepts: those that it knows, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

# So many unknown members are named.
NAMED = 20


class KnownMembers(serializers.Serializer[Any]):
    """Refuses a body with unknown members, as an address refuses unknown parameters.

    A misspelt member that is silently ignored would leave a rule without recipients. Members that
    can only be read may be sent back. Every serializer of the API has this class before its other
    base class.
    """

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        # Of query parameters `ParametersMiddleware` has seen to the unknown ones.
        if isinstance(data, Mapping) and not isinstance(data, QueryDict):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                raise ValidationError({str(name): [self._refusal()] for name in unknown[:NAMED]})
        return values

    def _refusal(self) -> ErrorDetail:
        known = sorted(name for name, field in self.fields.items() if not field.read_only)
        detail = f"There is no such member. Known here: {', '.join(known)}."
        return ErrorDetail(detail, code="unknown-member")
