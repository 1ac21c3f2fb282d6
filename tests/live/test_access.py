"""Who may open the live socket, and for how long."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Membership, Organisation, User
from accounts.tokens import digest_of
from tests import builders
from tracker.live.access import SocketCredential, accesses_of


def of_token(token: str) -> SocketCredential:
    return SocketCredential(token_digest=digest_of(token))


def session_of(user: User) -> SocketCredential:
    """Return the credential of somebody who logged in."""
    client = Client()
    client.force_login(user)
    return SocketCredential(session_key=client.cookies["sessionid"].value)


def may_open(credential: SocketCredential) -> bool:
    return credential in accesses_of([credential])


def test_a_member_sees_the_organisations_of_the_memberships(
    viewer: User, north: Organisation, south: Organisation
) -> None:
    credential = session_of(viewer)

    assert accesses_of([credential])[credential].permitted == frozenset({north.pk})


def test_the_provider_sees_all(dispatcher: User) -> None:
    credential = session_of(dispatcher)

    assert accesses_of([credential])[credential].permitted is None


@pytest.mark.django_db
@pytest.mark.fault("F-086")
def test_a_session_or_token_that_never_was_opens_nothing() -> None:
    assert not may_open(SocketCredential(session_key="made-up"))
    assert not may_open(SocketCredential(token_digest="made-up"))


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
    credential = of_token(token)
    assert may_open(credential)

    ApiToken.objects.update(revoked_at=timezone.now())

    assert not may_open(credential)


@pytest.mark.fault("F-089")
def test_an_ended_membership_narrows_what_is_seen(viewer: User, north: Organisation) -> None:
    credential = session_of(viewer)

    Membership.objects.filter(user=viewer, organisation=north).delete()

    assert accesses_of([credential])[credential].permitted == frozenset()


def test_many_sockets_cost_as_many_queries_as_one(
    north: Organisation, django_assert_num_queries
) -> None:
    sessions = [session_of(builders.make_member(north)) for _ in range(5)]
    token = of_token(builders.make_api_token(builders.make_user()))

    with django_assert_num_queries(4):
        found = accesses_of([*sessions, token])

    assert len(found) == 6
