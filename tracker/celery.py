"""The Celery application: `celery -A tracker.celery worker`."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init
from django.db import connection

from positions.durability import refuse_to_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")

app = Celery("tracker")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def _start_only_over_a_durable_database(**_: Any) -> None:
    """Wait for the database, without which neither has anything to do (fault F-146)."""
    refuse_to_start(connection, waits=True)
