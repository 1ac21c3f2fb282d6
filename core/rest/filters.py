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


class OrganisationFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = django_filters.NumberFilter()
