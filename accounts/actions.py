"""Changes of organisations, of their people, and of the tokens of people.

`by` is the user who makes the change, None for a command on the server. Each change of rights is
recorded in the audit trail.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import ApiToken, Membership, Organisation, User
from accounts.tokens import digest_of, new_token, prefix_of
from core.constraints import unless_taken
from core.errors import Conflict
from core.socket_groups import nudge_about_access


def create_organisation(
    *, name: str, time_zone: str = "UTC", by: User | None = None
) -> Organisation:
    with unless_taken(f"An organisation named {name!r} exists already."):
        organisation = Organisation.objects.create(name=name, time_zone=time_zone)
        audit.record("organisation.created", organisation, by=by, organisation_id=organisation.pk)
    return organisation


def change_organisation(
    *,
    organisation: Organisation,
    name: str | None = None,
    time_zone: str | None = None,
    by: User | None = None,
) -> Organisation:
    organisation.name = organisation.name if name is None else name
    organisation.time_zone = organisation.time_zone if time_zone is None else time_zone
    with unless_taken(f"An organisation named {organisation.name!r} exists already."):
        organisation.save(update_fields=["name", "time_zone"])
        audit.record(
            "organisation.changed",
            organisation,
            by=by,
            organisation_id=organisation.pk,
            name=organisation.name,
            time_zone=organisation.time_zone,
        )
    return organisation


def create_user(
    *,
    username: str,
    email: str = "",
    password: str | None = None,
    staff_role: str = User.StaffRole.NONE,
    first_name: str = "",
    last_name: str = "",
    by: User | None = None,
) -> User:
    """Create a person. Without a password the person cannot log in until it is set."""
    with unless_taken(f"A user named {username!r} exists already."):
        user = User.objects.create_user(
            username,
            email,
            password,
            staff_role=staff_role,
            is_staff=staff_role == User.StaffRole.ADMIN,
            is_superuser=staff_role == User.StaffRole.ADMIN,
            first_name=first_name,
            last_name=last_name,
        )
        audit.record("user.created", user, by=by, staff_role=staff_role)
    return user


def change_user(
    *,
    user: User,
    username: str,
    email: str,
    is_active: bool,
    staff_role: str,
    by: User | None = None,
) -> User:
    """Change members that only the provider may; rights in Django's admin follow `staff_role`."""
    user.username, user.email, user.is_active = username, email, is_active
    if user.staff_role != staff_role:
        user.staff_role = staff_role
        user.is_staff = user.is_superuser = staff_role == User.StaffRole.ADMIN
    with unless_taken(f"A user named {username!r} exists already."):
        user.save(
            update_fields=[
                "username",
                "email",
                "is_active",
                "staff_role",
                "is_staff",
                "is_superuser",
            ]
        )
        audit.record(
            "user.changed", user, by=by, email=email, is_active=is_active, staff_role=staff_role
        )
        _recheck_sockets(user.pk)
    return user


def change_name(*, user: User, first_name: str | None = None, last_name: str | None = None) -> User:
    user.first_name = user.first_name if first_name is None else first_name
    user.last_name = user.last_name if last_name is None else last_name
    user.save(update_fields=["first_name", "last_name"])
    return user


def add_member(
    *,
    organisation: Organisation,
    role: str,
    user: User | None = None,
    email: str = "",
    by: User | None = None,
) -> Membership:
    """Make a person a member; an unknown `email` becomes a user who has no password yet."""
    with transaction.atomic():
        if user is None:
            user = User.objects.filter(email__iexact=email, is_active=True).order_by("pk").first()
        if user is None:
            user = create_user(username=email.lower(), email=email.lower(), by=by)
        with unless_taken("This person is a member already."):
            membership = Membership.objects.create(user=user, organisation=organisation, role=role)
        _record_membership("member.added", membership, by)
        _recheck_sockets(user.pk)
    return membership


def change_role(*, membership: Membership, role: str, by: User | None = None) -> Membership:
    with transaction.atomic():
        if role != Membership.Role.OWNER:
            _require_another_owner(membership)
        former, membership.role = membership.role, role
        membership.save(update_fields=["role"])
        _record_membership("member.role-changed", membership, by, former=former)
        _recheck_sockets(membership.user_id)
    return membership


def remove_member(*, membership: Membership, by: User | None = None) -> None:
    with transaction.atomic():
        _require_another_owner(membership)
        _record_membership("member.removed", membership, by)
        membership.delete()
        _recheck_sockets(membership.user_id)


def _record_membership(verb: str, membership: Membership, by: User | None, **details: str) -> None:
    audit.record(
        verb,
        membership,
        by=by,
        organisation_id=membership.organisation_id,
        user=membership.user_id,
        role=membership.role,
        **details,
    )


def _require_another_owner(membership: Membership) -> None:
    if membership.role != Membership.Role.OWNER:
        return
    owners = Membership.objects.select_for_update().filter(
        organisation_id=membership.organisation_id, role=Membership.Role.OWNER
    )
    if not owners.exclude(pk=membership.pk).exists():
        raise Conflict("An organisation keeps at least one owner.", code="last-owner")


def issue_api_token(
    *, user: User, name: str, token: str = "", by: User | None = None
) -> tuple[ApiToken, str]:
    """Issue a token. Returns its row and the token, a new one unless given; it is not stored."""
    token = token or new_token()
    with transaction.atomic():
        row = ApiToken.objects.create(
            user=user, name=name, prefix=prefix_of(token), digest=digest_of(token)
        )
        audit.record("token.issued", row, by=by, user=user.pk)
    return row, token


def revoke_api_token(*, token: ApiToken, by: User | None = None) -> ApiToken:
    if token.revoked_at is None:
        with transaction.atomic():
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            audit.record("token.revoked", token, by=by, user=token.user_id)
            _recheck_sockets(token.user_id)
    return token


def note_token_use(*, token: ApiToken, at: datetime) -> None:
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=at)


def _recheck_sockets(user_id: int) -> None:
    """After the commit, make the live sockets of a user look up their rights again."""
    transaction.on_commit(partial(nudge_about_access, user_id))
