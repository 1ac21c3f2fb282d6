"""Who may open the live socket, and for how long."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Membership, Organisation, User
from tests import builders
from tracker.live.access import (
    Credential,
    OriginRefused,
    accesses,
    credential_of,
    is_our_origin,
)

HOST = "127.0.0.1:8000"
OURS = "http://127.0.0.1:8000"


def headers(**given: str) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in ({"host": HOST} | given).items()]


def session_of(user: User) -> Credential:
    """Return the credential of somebody who logged in."""
    client = Client()
    client.force_login(user)
    return Credential(session_key=client.cookies["sessionid"].value)


def may_open(credential: Credential) -> bool:
    return credential in accesses([credential])


def test_a_cookie_from_our_own_page_is_taken() -> None:
    given = headers(cookie="a=b; sessionid=abc", origin=OURS)

    assert credential_of(given) == Credential(session_key="abc")


@pytest.mark.fault("F-087")
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "http://127.0.0.1.evil.example", "file://x", "["]
)
def test_a_cookie_from_a_strangers_page_is_refused(origin: str) -> None:
    with pytest.raises(OriginRefused):
        credential_of(headers(cookie="sessionid=abc", origin=origin))


@pytest.mark.fault("F-087")
def test_a_cookie_without_an_origin_is_refused() -> None:
    with pytest.raises(OriginRefused):
        credential_of(headers(cookie="sessionid=abc"))


@pytest.mark.parametrize("keyword", ["Token", "Bearer", "bearer"])
def test_a_token_needs_no_origin(keyword: str) -> None:
    credential = credential_of(headers(authorization=f"{keyword} secret"))

    assert credential is not None
    assert credential.token_digest


def test_another_scheme_is_no_credential() -> None:
    assert credential_of(headers(authorization="Basic dXNlcjpwYXNz")) is None


def test_the_public_address_is_ours(settings) -> None:
    settings.PUBLIC_URL = "https://track.example.com"

    assert is_our_origin("https://track.example.com", host="inside:8000")


def test_when_every_host_is_allowed_only_the_dialled_one_is_ours(settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]

    assert is_our_origin("https://a.example", host="a.example")
    assert not is_our_origin("https://evil.example", host="a.example")


def test_a_member_sees_the_organisations_of_the_memberships(
    viewer: User, north: Organisation, south: Organisation
) -> None:
    credential = session_of(viewer)

    assert accesses([credential])[credential].permitted == frozenset({north.pk})


def test_the_provider_sees_all(dispatcher: User) -> None:
    credential = session_of(dispatcher)

    assert accesses([credential])[credential].permitted is None


@pytest.mark.django_db
@pytest.mark.fault("F-086")
def test_a_session_or_token_that_never_was_opens_nothing() -> None:
    assert not may_open(Credential(session_key="made-up"))
    assert not may_open(Credential(token_digest="made-up"))


@pytest.mark.fault("F-089")
def test_a_disabled_person_is_out(viewer: User) -> None:
    credential = session_of(viewer)

    User.objects.filter(pk=viewer.pk).update(is_active=False)

    assert not may_open(credential)


@pytest.mark.fault("F-089")
def test_whoever_logged_out_elsewhere_is_out(viewer: User) -> None:
    credential = session_of(viewer)

    Session.objects.filter(session_key=credential.session_key).delete()

    assert not may_open(credential)


@pytest.mark.fault("F-089")
def test_an_expired_session_is_out(viewer: User) -> None:
    credential = session_of(viewer)

    Session.objects.update(expire_date=timezone.now())

    assert not may_open(credential)


@pytest.mark.fault("F-089")
def test_a_changed_password_ends_sessions(viewer: User) -> None:
    credential = session_of(viewer)

    viewer.set_password("another one")
    viewer.save()

    assert not may_open(credential)


@pytest.mark.fault("F-089")
def test_a_revoked_token_is_out(viewer: User) -> None:
    token = builders.make_api_token(viewer)
    credential = credential_of(headers(authorization=f"Token {token}"))
    assert credential is not None
    assert may_open(credential)

    ApiToken.objects.update(revoked_at=timezone.now())

    assert not may_open(credential)


@pytest.mark.fault("F-089")
def test_an_ended_membership_narrows_what_is_seen(viewer: User, north: Organisation) -> None:
    credential = session_of(viewer)

    Membership.objects.filter(user=viewer, organisation=north).delete()

    assert accesses([credential])[credential].permitted == frozenset()


def test_many_sockets_cost_as_many_queries_as_one(
    north: Organisation, django_assert_num_queries
) -> None:
    sessions = [session_of(builders.make_member(north)) for _ in range(5)]
    token = credential_of(
        headers(authorization=f"Token {builders.make_api_token(builders.make_user())}")
    )
    assert token is not None

    with django_assert_num_queries(4):
        found = accesses([*sessions, token])

    assert len(found) == 6
