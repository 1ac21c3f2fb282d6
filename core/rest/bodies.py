"""JSON bodies, taken at their word: `0` is no text, `"5"` no number and `1` not true.

The framework's fields read such values, since a form has nothing but text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

Field = serializers.Field[Any, Any, Any, Any]

# So many unknown members are named.
NAMED = 20

_KINDS: tuple[tuple[type[Any], str, tuple[type, ...]], ...] = (
    (serializers.BooleanField, "true or false", (bool,)),
    (serializers.IntegerField, "a whole number", (int, float)),
    (serializers.FloatField, "a number", (int, float)),
    (serializers.PrimaryKeyRelatedField, "the number of an object", (int,)),
    (serializers.CharField, "text", (str,)),
    (serializers.DateTimeField, "text", (str,)),
    (serializers.TimeField, "text", (str,)),
)


class StrictBody(serializers.Serializer[Any]):
    """Refuses members of another JSON type than their field's, and unknown members.

    A misspelt member that is silently ignored would leave a rule without recipients. Members that
    can only be read may be sent back. Every serializer of the API has this class before its other
    base class.
    """

    def to_internal_value(self, data: Any) -> Any:
        # Query parameters are texts, and `ParametersMiddleware` has seen to the unknown ones.
        if not isinstance(data, Mapping) or isinstance(data, QueryDict):
            return super().to_internal_value(data)
        if wrong := dict(_wrong_types(self.fields, data)):
            raise serializers.ValidationError(wrong)
        values = super().to_internal_value(data)
        if unknown := [name for name in data if name not in self.fields]:
            refused = {str(name): [self._unknown_member()] for name in unknown[:NAMED]}
            raise serializers.ValidationError(refused)
        return values

    def _unknown_member(self) -> serializers.ErrorDetail:
        known = sorted(name for name, field in self.fields.items() if not field.read_only)
        detail = f"There is no such member. Known here: {', '.join(known)}."
        return serializers.ErrorDetail(detail, code="unknown-member")


def _wrong_types(fields: Mapping[str, Field], data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, field in fields.items():
        if field.read_only or data.get(name) is None:
            continue
        if found := _errors_of(field, data[name]):
            yield name, found


def _errors_of(field: Field, value: Any) -> Any:
    """Return the framework's shape of errors for `value`: a list, a dict by index, or nothing."""
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        inner = {n: _errors_of(field.child, each) for n, each in enumerate(value)}
        return {n: errors for n, errors in inner.items() if errors}
    for kind, expected, types in _KINDS:
        if isinstance(field, kind):
            is_right = isinstance(value, types) and (bool in types or not isinstance(value, bool))
            detail = f"{expected.capitalize()} is expected."
            return [] if is_right else [serializers.ErrorDetail(detail, code="invalid")]
    return []
