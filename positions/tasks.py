"""Background work of the memory."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from positions import partitions


@shared_task
def make_partitions() -> None:
    """Make the partitions of the coming weeks."""
    partitions.make_partitions(timezone.now())
