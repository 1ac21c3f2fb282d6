"""What changes somebody's rights is on record, and stays there."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts import actions
from accounts.models import AuditEntry, Membership, Organisation, User
from core.errors import Conflict
from tests import builders
from tests.conftest import Api


def entries(verb: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(verb=verb).order_by("pk"))


def test_a_changed_role_tells_who_changed_it_and_from_what(
    api: Api, owner: User, viewer: User, north: Organisation
) -> None:
    member = viewer.memberships.get()

    answer = api(owner).patch(f"/api/v1/members/{member.pk}/", {"role": "operator"})

    assert answer.status_code == 200
    (entry,) = entries("member.role-changed")
    assert (entry.by, entry.organisation) == (owner, north)
    assert entry.details == {"user": viewer.pk, "role": "operator", "former": "viewer"}


def test_a_refused_change_is_not_on_record(owner: User) -> None:
    with pytest.raises(Conflict):
        actions.change_role(
            membership=owner.memberships.get(), role=Membership.Role.VIEWER, by=owner
        )

    assert entries("member.role-changed") == []


def test_a_token_is_on_record_without_its_secret(viewer: User) -> None:
    row, token = actions.issue_api_token(user=viewer, name="laptop", by=viewer)
    actions.revoke_api_token(token=row, by=viewer)

    issued_and_revoked = [*entries("token.issued"), *entries("token.revoked")]
    assert [entry.subject_id for entry in issued_and_revoked] == [str(row.pk)] * 2
    assert all(token not in f"{entry.subject_name}{entry.details}" for entry in issued_and_revoked)


@pytest.mark.parametrize("write", ["update", "delete"])
def test_the_database_refuses_to_rewrite_the_record(write: str, owner: User) -> None:
    rows: Any = AuditEntry.objects.all()
    assert rows.exists()

    with pytest.raises(IntegrityError, match="appended only"), transaction.atomic():
        rows.update(by_name="nobody") if write == "update" else rows.delete()


def test_the_record_outlives_whom_it_is_about(north: Organisation) -> None:
    member = builders.make_member(north, Membership.Role.VIEWER)
    actions.remove_member(membership=member.memberships.get())
    member.delete()

    (entry,) = entries("member.removed")
    assert entry.details["user"] != ""
    assert entry.subject_name != ""
