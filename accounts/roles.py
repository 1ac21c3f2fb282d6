"""The organisations that a person sees, and the person's role in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import Membership, Organisation, User


@dataclass(frozen=True)
class OrganisationRole:
    """An organisation that a person sees, with the person's role in it."""

    id: int
    name: str
    time_zone: str
    role: str


def organisation_roles_of(user: User | Any) -> list[OrganisationRole]:
    """Return the organisations that `user` sees, by name, with one query.

    The provider's admins act as owner everywhere and its dispatchers as operator.
    """
    if user.is_provider:
        role = Membership.Role.OWNER if user.is_provider_admin else Membership.Role.OPERATOR
        everywhere = Organisation.objects.order_by("name")
        return [_with_role(organisation, role) for organisation in everywhere]
    memberships = Membership.objects.filter(user_id=user.pk).select_related("organisation")
    return [
        _with_role(membership.organisation, membership.role)
        for membership in memberships.order_by("organisation__name")
    ]


def _with_role(organisation: Organisation, role: str) -> OrganisationRole:
    return OrganisationRole(organisation.pk, organisation.name, organisation.time_zone, role)


def role_of(user: User | Any) -> str | None:
    """Return the staff role of a user, `admin` or `dispatcher`; None for customers."""
    if user.is_provider_admin:
        return User.StaffRole.ADMIN
    return user.staff_role or None


def person_of(request: Any) -> User:
    """Return the user of an authenticated request."""
    assert isinstance(request.user, User), "only people with a login get here"
    return request.user
