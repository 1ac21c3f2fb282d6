"""JSON bodies, taken at their word: `0` is no text, `"5"` no number and `1` not true.

The framework's fields read such values, since a form has nothing but text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest_framework import serializers

Field = serializers.Field[Any, Any, Any, Any]

_KINDS: tuple[tuple[type[Any], str, tuple[type, ...]], ...] = (
    (serializers.BooleanField, "true or false", (bool,)),
    (serializers.IntegerField, "a whole number", (int, float)),
    (serializers.FloatField, "a number", (int, float)),
    (serializers.PrimaryKeyRelatedField, "the number of an object", (int,)),
    (serializers.CharField, "text", (str,)),
    (serializers.DateTimeField, "text", (str,)),
    (serializers.TimeField, "text", (str,)),
)


class StrictBody:
    """For a serializer of JSON bodies: refuses a value of another JSON type than its field's."""

    def to_internal_value(self, data: Any) -> Any:
        fields: dict[str, Field] = self.fields  # type: ignore[attr-defined]
        wrong = dict(_wrong_types(fields, data)) if isinstance(data, dict) else {}
        if wrong:
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)  # type: ignore[misc]


def _wrong_types(fields: dict[str, Field], data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
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
