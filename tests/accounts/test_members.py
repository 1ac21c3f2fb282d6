"""Who belongs to an organisation, and as what."""

from __future__ import annotations

import pytest

from accounts import actions as people
from accounts.models import Membership, Organisation, User
from core.errors import Conflict
from tests import builders


def test_an_unknown_address_becomes_a_user_who_cannot_log_in_yet(north: Organisation) -> None:
    membership = people.add_member(
        organisation=north, email="Nora@Example.com", role=Membership.Role.VIEWER
    )

    assert membership.user.email == "nora@example.com"
    assert not membership.user.has_usable_password()


def test_a_known_address_is_the_same_person(north: Organisation, stranger: User) -> None:
    membership = people.add_member(
        organisation=north, email=stranger.email.upper(), role=Membership.Role.VIEWER
    )

    assert membership.user == stranger


def test_the_last_owner_cannot_be_removed(owner: User) -> None:
    with pytest.raises(Conflict):
        people.remove_member(membership=owner.memberships.get())


def test_the_last_owner_cannot_become_an_operator(owner: User) -> None:
    with pytest.raises(Conflict):
        people.change_role(membership=owner.memberships.get(), role=Membership.Role.OPERATOR)


def test_one_of_two_owners_can_go(north: Organisation, owner: User) -> None:
    builders.make_member(north, Membership.Role.OWNER)

    people.remove_member(membership=owner.memberships.get())

    assert north.memberships.count() == 1
