"""Group B of the fault catalogue, keys: who may send, and what strangers learn by trying."""

from __future__ import annotations

import base64
import subprocess
from contextlib import closing
from datetime import timedelta
from urllib.parse import quote

import pytest

from assets import actions
from tests import builders
from tests.builders import MORNING
from tests.ingest.world import (
    Answer,
    Client,
    Database,
    Ingest,
    Sender,
    assert_books_balance,
    eventually,
    know,
    make_sender,
)
from uplinks.models import Misuse

WRONG = "W" * 32


def anonymous(answer: Answer) -> bytes:
    """Return the body without the id of the request."""
    document = answer.json()
    return answer.body.replace(document["instance"].encode(), b"")


def under(path: str, ingest: Ingest, sender: Sender, **headers: str) -> Answer:
    more = {name.title(): value for name, value in headers.items()}
    with closing(Client(ingest.port)) as client:
        body = str(sender.says()).replace("'", '"').encode()
        return client.ask("POST", path, body, {"Content-Type": "application/json"} | more)


@pytest.mark.fault("F-027")
def test_without_a_credential_every_path_answers_the_same(ingest):
    paths = ("/ingest/json", "/ingest/ttn/", "/ingest/nothing", "/elsewhere", "/")

    answers = [ingest.post(path, {}) for path in paths]

    assert {(answer.status, answer.code) for answer in answers} == {(401, "credentials-missing")}
    assert all("www-authenticate" in answer.headers for answer in answers)
    assert len({anonymous(answer) for answer in answers}) == 1


@pytest.mark.fault("F-041")
def test_where_there_is_tls_a_token_in_plain_text_is_refused_and_not_sent_elsewhere(start):
    ingest, sender = start(INGEST_URL="https://ingest.example"), make_sender()
    know(ingest, sender)

    plain = [
        under(sender.path, ingest, sender, **{"x-forwarded-proto": said})
        for said in ("http", "HTTP", "http, https")
    ]
    safe = under(sender.path, ingest, sender, **{"x-forwarded-proto": "https"})

    assert {(answer.status, answer.code) for answer in plain} == {(403, "tls-required")}
    assert not any("location" in answer.headers for answer in plain)
    assert (safe.status, len(sender.positions())) == (200, 1)


@pytest.mark.parametrize("scheme", ["Bearer {0}", "Token {0}", "Basic {1}"])
def test_a_token_may_come_in_the_header(ingest, sender, scheme):
    basic = base64.b64encode(f"van:{sender.token}".encode()).decode()

    answer = under("/ingest/json", ingest, sender, authorization=scheme.format(sender.token, basic))

    assert answer.status == 200


@pytest.mark.fault("F-033")
@pytest.mark.parametrize("name", ["token", "key", "access_token", "api_key"])
def test_a_token_in_the_query_opens_nothing(ingest, sender, name):
    answer = under(f"/ingest/json?{name}={sender.token}", ingest, sender)

    assert (answer.status, answer.code) == (401, "credentials-missing")


@pytest.mark.fault("F-033")
def test_no_token_is_logged_or_counted_by_name(ingest, sender):
    ingest.post(sender.path, sender.says())
    ingest.post(sender.path, b"{")
    ingest.post(f"/ingest/json/{WRONG}", {})

    told = ingest.log + ingest.ask("GET", "/ingest/metrics").body.decode()

    assert sender.token not in told
    assert WRONG not in told


@pytest.mark.fault("F-028")
def test_a_wrong_token_says_nothing_about_the_device(ingest, sender):
    known, unknown = sender.says(), sender.says(device="nobody")

    answers = [ingest.post(f"/ingest/json/{WRONG}", body) for body in (known, unknown, b"{", b"")]

    assert {(answer.status, answer.code) for answer in answers} == {(401, "credentials-invalid")}
    assert len({anonymous(answer) for answer in answers}) == 1


@pytest.mark.fault("F-029")
def test_the_token_of_one_device_speaks_for_no_other(ingest):
    theirs = make_sender()
    bound, token = builders.make_source(theirs.organisation, device=theirs.device)
    mine = Sender(theirs.organisation, bound, token, theirs.van, theirs.device)
    know(ingest, mine, "another-device")

    answer = ingest.post(mine.path, mine.says(device="another-device"))

    assert (answer.status, answer.code) == (403, "not-your-device")
    assert mine.positions() == []
    assert ingest.post(mine.path, mine.says()).status == 200
    assert mine.books() == {"received": 2, "stored": 1, "refused": 1}
    misuse = Misuse.objects.get(source=bound)
    assert (misuse.device_identifier, misuse.times) == ("another-device", 1)


@pytest.mark.fault("F-030")
def test_a_revoked_token_is_shut_out_of_its_open_connection(ingest, sender):
    with closing(Client(ingest.port)) as client:
        assert client.post(sender.path, sender.says()).status == 200
        wire = client.wire.sock

        actions.revoke_source(source=sender.source)

        again = sender.says(MORNING)
        eventually(lambda: client.post(sender.path, again).status == 401, within_s=5.0)
        assert client.wire.sock is wire
    assert sender.positions()


@pytest.mark.fault("F-031")
def test_old_and_new_token_are_good_while_they_overlap(ingest, sender):
    new = actions.rotate_source_token(source=sender.source, overlap_s=3.0)
    replaced = Sender(sender.organisation, sender.source, new, sender.van, sender.device)
    statuses: list[int] = []

    def is_over() -> bool:
        statuses.append(ingest.post(sender.path, sender.says()).status)
        return statuses[-1] != 200

    know(ingest, replaced)
    eventually(is_over, within_s=8.0)

    assert set(statuses) == {200, 401}
    assert statuses.count(200) > 2
    assert ingest.post(replaced.path, sender.says(MORNING)).status == 200


@pytest.mark.fault("F-032")
def test_a_dump_opens_nothing(ingest, database: Database, sender):
    ingest.post(sender.path, sender.says())

    environment = {"PGPASSWORD": database.password, "PATH": "/usr/bin:/usr/local/bin:/bin"}
    where = ["-h", database.host, "-p", str(database.port), "-U", database.user, database.name]
    dumped = subprocess.run(
        ["pg_dump", "--data-only", "--table", "assets_*", *where],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip

    (row,) = [line for line in dumped.stdout.splitlines() if sender.source.digest in line]
    words = [quote(word, safe="") for word in row.split("\t")]
    assert sender.token not in dumped.stdout
    assert {ingest.post(f"/ingest/json/{word}", {}).status for word in words if word} == {401}


@pytest.mark.fault("F-034", "F-036")
def test_who_guesses_tokens_has_to_wait_and_the_neighbour_has_not(start):
    ingest = start(WRONG_TOKENS_PER_MINUTE="60")
    sender = make_sender()
    know(ingest, sender)

    # Twice the limit and one: a minute may end in between. No header makes them many people.
    answers = [
        under(f"/ingest/json/{WRONG}", ingest, sender, **{"x-forwarded-for": f"10.0.0.{n}"})
        for n in range(121)
    ]

    assert {answer.status for answer in answers} == {401, 429}
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61
    assert answers[-1].code == "too-many-requests"
    assert ingest.post(sender.path, sender.says()).status == 200


@pytest.mark.fault("F-035")
def test_a_device_beyond_its_quota_has_to_wait_and_its_neighbour_has_not(start):
    ingest = start(OBSERVATIONS_PER_DEVICE_AND_MINUTE="20")
    sender = make_sender()
    know(ingest, sender, "neighbour")

    answers = [
        ingest.post(sender.path, sender.says(MORNING + timedelta(seconds=n))) for n in range(41)
    ]

    assert {answer.status for answer in answers} == {200, 429}
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61
    assert ingest.post(sender.path, sender.says(device="neighbour")).status == 200
    assert_books_balance(sender)


@pytest.mark.fault("F-165")
def test_the_secret_of_one_haulier_does_not_reach_the_devices_of_another(ingest, sender):
    stranger = make_sender()
    know(ingest, stranger)

    answer = ingest.post(stranger.path, stranger.says(device=sender.device.identifier))

    assert (answer.status, answer.json()["disposition"]) == (202, "set-aside")
    assert sender.positions() == []


def test_a_token_opens_its_own_format_only(ingest, sender):
    answer = ingest.post(f"/ingest/ttn/{sender.token}", sender.says())

    assert (answer.status, answer.code) == (404, "not-found")
