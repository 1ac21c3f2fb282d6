"""Background work of the road: judging again what changed facts touch."""

from __future__ import annotations

from celery import shared_task

from tracker import rejudging


@shared_task
def continue_rejudging() -> None:
    """Take open re-judgings a bounded step further; the next sweep goes on from there."""
    rejudging.go_on()
