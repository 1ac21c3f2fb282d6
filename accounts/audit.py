"""The audit trail: a record of every action that must be traceable, and of who did it."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from accounts.models import AuditEntry, User


def record(
    verb: str,
    subject: Model,
    *,
    by: User | None,
    organisation_id: int | None = None,
    **details: Any,
) -> None:
    """Append an entry in the transaction of the change, so that both or none are committed.

    `verb` is `noun.participle`, as `member.role-changed`; `by` is None for commands on the
    server. `details` are JSON values and hold no secrets.
    """
    AuditEntry.objects.create(
        verb=verb,
        by=by,
        by_name=str(by)[:200] if by else "",
        organisation_id=organisation_id,
        subject_kind=subject._meta.label_lower,
        subject_id=str(subject.pk),
        subject_name=str(subject)[:200],
        details=details,
    )
