"""Which organisations a person works in, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import Membership, Organisation, User


@dataclass(frozen=True)
class Place:
    """An organisation as one person sees it; `role` is what they may do there."""

    id: int
    name: str
    time_zone: str
    role: str


def places_of(user: User | Any) -> list[Place]:
    """Return the organisations that `user` sees, by name, with one query.

    The provider's admins act as owner everywhere and its dispatchers as operator.
    """
    if user.is_provider:
        role = Membership.Role.OWNER if user.is_provider_admin else Membership.Role.OPERATOR
        everywhere = Organisation.objects.order_by("name")
        return [Place(each.pk, each.name, each.time_zone, role) for each in everywhere]
    memberships = Membership.objects.filter(user_id=user.pk).select_related("organisation")
    return [
        Place(each.organisation_id, each.organisation.name, each.organisation.time_zone, each.role)
        for each in memberships.order_by("organisation__name")
    ]


def role_of(user: User | Any) -> str | None:
    """Return `admin` or `dispatcher` for the provider's people, None for customers."""
    if user.is_provider_admin:
        return User.StaffRole.ADMIN
    return user.staff_role or None


def person_of(request: Any) -> User:
    """Return who asks, of a request that was let in."""
    assert isinstance(request.user, User), "only people with a login get here"
    return request.user
