"""The live socket as a console meets it: a real daphne, a real Redis, a real database."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client as Browser
from websockets.exceptions import InvalidStatus

from accounts.models import Membership, Organisation, User
from assets.models import Asset
from core.broadcast import Changed, Crossed, Publisher
from tests import builders
from tests.live.conftest import Daphne, Socket, close_code, commit, subscribed

Open = Callable[..., Socket]

pytestmark = pytest.mark.django_db(transaction=True)


# --- who comes in --------------------------------------------------------------


@pytest.mark.fault("F-086")
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token wrong"}])
def test_without_a_good_credential_the_handshake_is_refused(
    open_socket: Open, headers: dict[str, str]
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        open_socket(additional_headers=headers)

    assert refused.value.response.status_code == 403


def test_a_session_comes_in_from_our_own_page(
    open_socket: Open, daphne: Daphne, viewer: User
) -> None:
    browser = Browser()
    browser.force_login(viewer)
    cookie = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}

    console = open_socket(additional_headers=cookie, origin=f"http://127.0.0.1:{daphne.port}")

    assert console.wire.subprotocol == "live.v1.json"


@pytest.mark.fault("F-087")
@pytest.mark.parametrize("origin", [None, "https://evil.example"])
def test_the_same_session_is_refused_from_anywhere_else(
    open_socket: Open, viewer: User, origin: str | None
) -> None:
    browser = Browser()
    browser.force_login(viewer)
    cookie = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}

    with pytest.raises(InvalidStatus) as refused:
        open_socket(additional_headers=cookie, origin=origin)

    assert refused.value.response.status_code == 403


def test_another_sub_protocol_is_refused(open_socket: Open, token: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        open_socket(token, subprotocols=["live.v9.bin"])

    assert refused.value.response.status_code == 403


@pytest.mark.fault("F-089")
def test_a_disabled_person_is_closed_out_within_five_seconds(
    open_socket: Open, viewer: User, token: str
) -> None:
    console = subscribed(open_socket, token)

    User.objects.filter(pk=viewer.pk).update(is_active=False)

    assert close_code(console, within_s=5.0) == 4401


@pytest.mark.fault("F-089")
def test_an_ended_membership_empties_the_map_within_five_seconds(
    open_socket: Open, viewer: User, token: str, van: Asset, publisher: Publisher
) -> None:
    console = subscribed(open_socket, token)
    publisher.put([commit(van, 0)])
    console.until(lambda client: van.pk in client.assets)

    Membership.objects.filter(user=viewer).delete()

    console.until(lambda client: not client.assets, within_s=5.0)


# --- what is shown ---------------------------------------------------------------


@pytest.mark.journey
def test_what_moves_is_shown_at_once(
    open_socket: Open, token: str, van: Asset, publisher: Publisher
) -> None:
    console = subscribed(open_socket, token)

    publisher.put([commit(van, 0, lon_deg=9.75)])

    console.until(lambda client: van.pk in client.assets, within_s=1.0)
    assert console.client.assets[van.pk]["lon_e7"] == 97_500_000


def test_a_crossing_is_passed_on(
    open_socket: Open, token: str, north: Organisation, publisher: Publisher
) -> None:
    console = subscribed(open_socket, token)

    publisher.put([Crossed(organisation_id=north.pk, crossing={"id": 7})])

    frame = {"type": "crossing", "crossing": {"id": 7}}
    console.until(lambda client: frame in client.others, within_s=2.0)


@pytest.mark.fault("F-094")
def test_coming_back_brings_what_was_missed_without_a_snapshot(
    open_socket: Open, token: str, van: Asset, publisher: Publisher
) -> None:
    console = subscribed(open_socket, token)
    publisher.put([commit(van, 0)])
    console.until(lambda client: van.pk in client.assets)
    console.wire.close()
    missed = commit(van, 1, lon_deg=9.9)
    publisher.put([missed])

    again = open_socket(token)
    again.client = console.client
    again.subscribe()
    again.until(lambda client: client.assets[van.pk]["lon_e7"] == missed.columns["lon_e7"][0])

    assert again.client.snapshots == 1


def test_an_archived_asset_goes(
    open_socket: Open, token: str, van: Asset, publisher: Publisher
) -> None:
    console = subscribed(open_socket, token)
    publisher.put([commit(van, 0)])
    console.until(lambda client: van.pk in client.assets)

    Asset.objects.update(archived_at=van.created_at)
    publisher.put([Changed(organisation_id=van.organisation_id, what="assets")])

    console.until(lambda client: not client.assets)
    console.until(lambda client: {"type": "changed", "what": "assets"} in client.others)


@pytest.mark.law(7)
@pytest.mark.fault("F-096")
def test_no_word_of_another_organisation_reaches_a_socket(
    open_socket: Open, token: str, stranger: User, van: Asset, south: Organisation,
    publisher: Publisher,
) -> None:  # fmt: skip
    foreign = builders.make_van(south)
    ours = subscribed(open_socket, token)
    theirs = subscribed(open_socket, builders.make_api_token(stranger))

    for second in range(40):
        canary = Crossed(organisation_id=south.pk, crossing={"id": "canary"})
        publisher.put([commit(foreign, second), commit(van, second), canary])
        ours.take(0.01)
        theirs.take(0.01)
    last = commit(van, 100)
    publisher.put([last])
    newest = last.columns["fix_at"][0]
    ours.until(lambda client: client.assets.get(van.pk, {}).get("fix_at") == newest)
    theirs.until(lambda client: foreign.pk in client.assets)

    assert list(ours.client.assets) == [van.pk]
    assert "canary" not in json.dumps(ours.client.others)
    assert list(theirs.client.assets) == [foreign.pk]
