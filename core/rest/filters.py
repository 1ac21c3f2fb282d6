"""Filters that refuse a value which they do not understand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_filters
from django import forms

from core.rest.fields import NO_TIME, NO_ZONE
from core.time_texts import ZoneMissingError, instant_of_text

MAX_NUMBER = (1 << 63) - 1
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


class _InstantFormField(forms.Field):
    def to_python(self, value: Any) -> datetime | None:
        if value is None:
            return None
        try:
            return instant_of_text(value)
        except ZoneMissingError:
            raise forms.ValidationError(NO_ZONE, code="time-without-zone") from None
        except ValueError:
            raise forms.ValidationError(NO_TIME, code="not-a-time") from None


class InstantFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    """A time, read as in a body: RFC 3339 with a zone. An empty one is refused."""

    field_class = _InstantFormField


class _NumberFormField(forms.IntegerField):
    def __init__(self, **given: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_NUMBER, **given)


class ObjectFilter(django_filters.NumberFilter):  # type: ignore[misc]
    """The number of an object; django-filter's own field takes fractions."""

    field_class = _NumberFormField

    def get_max_validator(self) -> None:
        """Return none: the field has its own."""


class OrganisationFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = ObjectFilter()
