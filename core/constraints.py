"""Violated constraints of the database as refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from django.db import IntegrityError, transaction

from core.errors import Conflict


@contextmanager
def unless_taken(
    detail: str, *, code: Literal["already-exists", "overlap"] = "already-exists"
) -> Iterator[None]:
    """Turn a violated unique or exclusion constraint into a `Conflict`; nothing is written then."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Conflict(detail, code=code) from error
