"""The generator that measures must not invent."""

import contextlib
import socket
import threading

import numpy as np
import pytest

from benchmarks.tools.load import Load, Outcome, is_whole_answer, run

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def answering():
    """A server that gives every request on a connection the same answer."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection):
        with connection, contextlib.suppress(ConnectionError):
            while connection.recv(65536):
                connection.sendall(OK)

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()
    listener.close()


@pytest.mark.parametrize(
    ("data", "is_whole"),
    [
        (OK, True),
        (OK[:-1], False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", True),
    ],
)
def test_an_answer_is_whole_when_its_body_is(data, is_whole):
    assert is_whole_answer(data) is is_whole


def test_every_request_is_sent_once_and_counted(answering):
    outcome = run(Load(address=answering, requests=[REQUEST] * 200, connections=8, seconds=5))

    assert outcome.statuses == {"200": 200}
    assert len(outcome.latencies_s) == 200


def test_a_new_connection_each_counts_the_same(answering):
    load = Load(
        address=answering,
        requests=[REQUEST] * 50,
        connections=4,
        seconds=5,
        is_new_connection_each=True,
    )

    assert run(load).statuses == {"200": 50}


def test_the_open_loop_keeps_its_rate(answering):
    outcome = run(Load(address=answering, requests=[REQUEST] * 999, rate=200, seconds=0.5))

    assert outcome.statuses == {"200": 100}
    assert 0.4 < outcome.seconds < 0.8


def test_nobody_there_is_an_error_and_no_latency():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()

    outcome = run(Load(address=address, requests=[REQUEST] * 3, connections=1, seconds=1))

    assert outcome.errors == 3
    assert len(outcome.latencies_s) == 0


def test_percentiles_are_of_all_answers():
    outcome = Outcome(seconds=1, latencies_s=np.array([0.001, 0.002, 0.003]))

    assert outcome.ms(50) == pytest.approx(2)
    assert outcome.ms(100) == pytest.approx(3)
