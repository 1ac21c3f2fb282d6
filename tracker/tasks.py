"""Background work of the road: judging again what changed facts touch, and deadlines."""

from __future__ import annotations

from celery import shared_task

from tracker import deadlines, rejudging


@shared_task
def continue_rejudging() -> None:
    """Take open re-judgings a bounded step further; the next sweep goes on from there."""
    rejudging.continue_rejudgings()


@shared_task(expires=30)
def meet_deadlines() -> None:
    """Judge assets that are due without a further fact; the next sweep goes on from there."""
    deadlines.meet_deadlines()
