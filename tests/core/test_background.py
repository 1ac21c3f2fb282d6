"""Handing things out in the background: nobody waits, and nothing stops it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

import pytest

from core.background import BackgroundQueue, OncePerProcess

PATIENCE_S = 10.0
Handed = list[tuple[int, str]]


class Post(BackgroundQueue[str]):
    """Notes what it hands out. `deliver` may refuse it."""

    content, receiver = "letters", "the post"

    def __init__(
        self,
        deliver: Callable[[str], None] = lambda item: None,
        *,
        limit: int = 100,
        wait_s: float | None = None,
    ) -> None:
        self.handed_out: Handed = []
        self.idled = threading.Event()
        self._deliver = deliver
        self._wait_s = wait_s
        super().__init__(limit=limit)

    def wait_s(self) -> float | None:
        return self._wait_s

    def hand_out(self, items: Sequence[tuple[int, str]]) -> None:
        if not items:
            self.idled.set()
        for number, item in items:
            self._deliver(item)
            self.handed_out.append((number, item))

    def finish(self) -> None:
        self.handed_out.append((self._number + 1, "finish"))


@pytest.fixture
def gate():
    """Return what keeps the thread of a `Post` busy until it is set."""
    gate = threading.Event()
    yield gate
    gate.set()


def test_items_are_handed_out_in_order_and_a_farewell_is_last():
    post = Post()

    post.put("a")
    post.put("b")
    post.close(PATIENCE_S)

    assert post.handed_out == [(1, "a"), (2, "b"), (3, "finish")]


def test_when_it_is_full_the_oldest_is_dropped_and_its_number_is_missing(gate):
    busy = threading.Event()

    def deliver(item: str) -> None:
        busy.set()
        gate.wait(PATIENCE_S)

    post = Post(deliver, limit=2)
    post.put("first")
    busy.wait(PATIENCE_S)
    for item in ("old", "new", "newer"):
        post.put(item)
    gate.set()
    post.close(PATIENCE_S)

    assert post.handed_out == [(1, "first"), (3, "new"), (4, "newer"), (5, "finish")]
    assert post.dropped == 1


def test_what_the_receiver_refuses_is_lost_and_the_log_says_so_once(caplog):
    refused = iter([True, True, False])

    def deliver(item: str) -> None:
        if next(refused):
            raise ConnectionError("closed on Sundays")

    post = Post(deliver)
    with caplog.at_level("INFO"):
        for item in ("a", "b", "c"):
            post.put(item)
        post.close(PATIENCE_S)

    assert post.handed_out == [(3, "c"), (4, "finish")]
    assert caplog.messages == [
        "letters do not reach the post: closed on Sundays",
        "letters reach the post again; dropped 0",
    ]


def test_a_mistake_of_our_own_does_not_end_the_thread(caplog):
    wrong = iter([True, False])

    def deliver(item: str) -> None:
        if next(wrong):
            raise KeyError(item)

    post = Post(deliver)

    post.put("a")
    post.put("b")
    post.close(PATIENCE_S)

    assert (2, "b") in post.handed_out
    assert "letters cannot be handed out" in caplog.text


def test_when_nothing_comes_the_queue_says_so():
    post = Post(wait_s=0.01)

    assert post.idled.wait(PATIENCE_S)
    post.close(PATIENCE_S)


def test_a_forked_child_has_a_queue_of_its_own():
    posts = OncePerProcess(Post)
    of_parent = posts.get()
    reader, writer = os.pipe()

    child = os.fork()
    if not child:
        posts.get().put("from the child")
        posts.get().close(PATIENCE_S)
        of_parent.close(PATIENCE_S)
        os.write(writer, repr(posts.get().handed_out).encode())
        os._exit(0)
    os.waitpid(child, 0)
    of_parent.close(PATIENCE_S)

    assert os.read(reader, 1000).decode() == "[(1, 'from the child'), (2, 'finish')]"
    assert of_parent.handed_out == [(1, "finish")]
    os.close(reader)
    os.close(writer)
