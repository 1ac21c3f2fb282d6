"""Queries for people: the books of a source, misused tokens, and uplinks set aside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import BinaryField, F, Func, IntegerField, Max, QuerySet, Sum, Value
from msgspec import Struct

from assets.models import Source
from uplinks.books import Counts
from uplinks.models import Misuse, SetAside, SourceCount

PREVIEW_BYTES = 512
MAX_DAYS = 366


class Books(Struct, frozen=True):
    """The counts of all observations of a source, over all processes."""

    counts: Counts
    last_received_at: datetime | None


def books_of(source: Source) -> Books:
    names = ("stored", "duplicate", "set_aside", "refused")
    sums = SourceCount.objects.filter(source=source).aggregate(
        **{name: Sum(name) for name in names}, last=Max("last_received_at")
    )
    return Books(Counts(**{name: int(sums[name] or 0) for name in names}), sums["last"])


def days_of(source: Source) -> list[Any]:
    """Return the counts of a source on each day on which something came, the latest first."""
    names = ("received", "stored", "duplicate", "set_aside", "refused")
    days = SourceCount.objects.filter(source=source).values("day").order_by("-day")
    return list(days.annotate(**{f"sum_{name}": Sum(name) for name in names})[:MAX_DAYS])


def misuses_of(user: Any) -> QuerySet[Misuse]:
    """Return misuses of tokens, for users who operate their organisation."""
    rows: QuerySet[Misuse] = Misuse.objects.operable_by(user)
    return rows.select_related("source").order_by("-last_at", "pk")


def uplinks_of(user: Any) -> QuerySet[SetAside]:
    """Return uplinks set aside, for users who may replay them, with a preview of each body.

    Whole bodies stay in the database until they are used.
    """
    body = F("body")
    rows: QuerySet[SetAside] = SetAside.objects.operable_by(user)
    return (
        rows.select_related("source")
        .defer("body", "digest")
        .annotate(
            size=Func(body, function="octet_length", output_field=IntegerField()),
            preview=Func(
                body,
                Value(1),
                Value(PREVIEW_BYTES),
                function="substring",
                output_field=BinaryField(),
            ),
        )
    )
