"""Filters that refuse a value which they do not understand."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms

_MEANINGS = {"true": True, "1": True, "false": False, "0": False}


class _TrueOrFalseField(forms.Field):
    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        try:
            return _MEANINGS[str(value).lower()]
        except KeyError:
            raise forms.ValidationError("true or false.", code="invalid") from None


class BooleanFilter(django_filters.BooleanFilter):  # type: ignore[misc]
    """`true` or `false`; django-filter's own field ignores any other word."""

    field_class = _TrueOrFalseField


class _ChoicesField(django_filters.fields.MultipleChoiceField):  # type: ignore[misc]
    def to_python(self, value: Any) -> list[str]:
        words = value if isinstance(value, list | tuple) else [value] if value else []
        return list(super().to_python([one for word in words for one in str(word).split(",")]))


class ChoicesFilter(django_filters.MultipleChoiceFilter):  # type: ignore[misc]
    """Several choices, repeated (`kind=enter&kind=exit`) or with commas (`kind=enter,exit`)."""

    field_class = _ChoicesField


class OrganisationFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = django_filters.NumberFilter()
