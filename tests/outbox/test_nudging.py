from __future__ import annotations

import threading
from uuid import uuid4

import pytest
from kombu.exceptions import OperationalError

from outbox import nudging, tasks
from outbox.nudging import Nudger
from tests.outbox.scenes import ANNA, invite


def test_a_missing_broker_hurts_nobody():
    posted: list[object] = []

    def post(ids):
        if len(posted) < 2:
            posted.append("lost")
            raise OperationalError("no route")
        posted.append(ids)

    nudger = Nudger(post)
    for ids in (["a"], ["b"], ["c"]):
        nudger.put(ids)
    nudger.close(within_s=10)

    assert posted == ["lost", "lost", ["c"]]


def test_a_broker_that_hangs_keeps_nobody_waiting():
    answered = threading.Event()

    def post(ids):
        answered.wait(10)

    nudger = Nudger(post)

    for _ in range(nudging.QUEUE_LIMIT * 2):
        nudger.put(["a"])

    assert not answered.is_set()
    answered.set()
    nudger.close(within_s=10)


@pytest.mark.django_db
def test_the_task_sends_what_it_was_nudged_for(mail_server):
    (nudged,) = invite(ANNA)

    tasks.send_notifications([str(nudged), str(uuid4())])
    tasks.send_notifications([str(nudged)])

    assert len(mail_server.arrivals(ANNA)) == 1


@pytest.mark.django_db
def test_the_sweep_finds_what_nobody_was_nudged_for(mail_server):
    invite(*[f"{n}@north.example" for n in range(25)])

    tasks.send_due_notifications()

    assert len(mail_server.arrived) == 25
