"""Assignments of devices to assets, also in the past, and the histories that move with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import User
from assets.actions.registry_revision import raise_registry_revision, stamp_device
from assets.models import Asset, Assignment, Device, MovedHistory
from core.constraints import unless_taken
from core.errors import Conflict, Unprocessable

# A device that registered itself is on its asset from then on: before any possible report.
DISTANT_PAST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Reassignment:
    """A changed assignment and its effect on histories.

    Positions of the device from `since` on may belong to another asset than before;
    `asset_ids` are the assets that gained or lost positions. Judging them again is promised
    already, by rows of `MovedHistory` in the same transaction; the caller need do nothing.
    """

    assignment: Assignment | None
    asset_ids: frozenset[int]
    since: datetime


def assign_device(
    *,
    device: Device,
    asset: Asset,
    since: datetime,
    until: datetime | None = None,
    by: User | None = None,
) -> Reassignment:
    """Put a device on an asset during [since, until), also in the past.

    Without `until` an ongoing assignment of the device that began earlier ends at `since`; if it
    began exactly then, it is replaced. Any other overlap is a `Conflict`.
    """
    if until is not None and until <= since:
        raise Unprocessable("until must be after since.", code="period-empty")
    if device.organisation_id != asset.organisation_id:
        raise Unprocessable("Device and asset belong to one organisation.", code="not-one-tenant")
    with transaction.atomic():
        revision = raise_registry_revision()
        # Under its lock: whoever archives the asset has done so by now, or finds the assignment.
        if Asset.objects.filter(pk=asset.pk).exclude(archived_at=None).exists():
            raise Conflict("The asset is archived.", code="asset-archived")
        left = _leave_ongoing(device, since) if until is None else set()
        with unless_taken("The device is on an asset during that time.", code="overlap"):
            assignment = Assignment.objects.create(
                device=device, asset=asset, during=DateTimeTZRange(since, until, "[)")
            )
        stamp_device(device, revision)
        return record_moved_history(assignment, left | {asset.pk}, since, by)


def unassign_device(*, device: Device, at: datetime, by: User | None = None) -> Reassignment:
    """Take a device off its asset, from `at` on. Conflict if it is on no asset then."""
    with transaction.atomic():
        revision = raise_registry_revision()
        left = _leave_ongoing(device, at)
        if not left:
            raise Conflict("The device is on no asset then.", code="not-assigned")
        stamp_device(device, revision)
        return record_moved_history(None, left, at, by)


def withdraw_assignment(*, assignment: Assignment, by: User | None = None) -> Reassignment:
    """Delete an assignment that was never true: its positions leave the asset's history."""
    with transaction.atomic():
        revision = raise_registry_revision()
        stamp_device(assignment.device, revision)
        Assignment.objects.filter(pk=assignment.pk).delete()
        since = assignment.during.lower or DISTANT_PAST
        return record_moved_history(None, {assignment.asset_id}, since, by)


def end_assignment(*, assignment: Assignment, at: datetime, by: User | None = None) -> Reassignment:
    """End an ongoing assignment. Conflict if it has ended; Unprocessable if it begins at `at`."""
    with transaction.atomic():
        revision = raise_registry_revision()
        assignment.refresh_from_db()
        if assignment.during.upper is not None:
            raise Conflict("The assignment has ended.", code="not-assigned")
        if assignment.during.lower >= at:
            raise Unprocessable("An assignment ends after it begins.", code="period-empty")
        end_or_delete(assignment, at)
        stamp_device(assignment.device, revision)
        return record_moved_history(assignment, {assignment.asset_id}, at, by)


def record_moved_history(
    assignment: Assignment | None,
    asset_ids: set[int],
    since: datetime,
    by: User | None,
    *,
    is_scope_changed: bool = False,
) -> Reassignment:
    MovedHistory.objects.bulk_create(
        MovedHistory(
            asset_id=asset_id, since=since, recorded_by=by, is_scope_changed=is_scope_changed
        )
        for asset_id in sorted(asset_ids)
    )
    return Reassignment(assignment=assignment, asset_ids=frozenset(asset_ids), since=since)


def _leave_ongoing(device: Device, at: datetime) -> set[int]:
    """End the device's ongoing assignment at `at`; return the ids of the assets it left."""
    ongoing = Assignment.objects.filter(
        device=device, during__startswith__lte=at, during__endswith=None
    )
    left: set[int] = set()
    for assignment in ongoing:
        left.add(assignment.asset_id)
        end_or_delete(assignment, at)
    return left


def end_or_delete(assignment: Assignment, at: datetime) -> None:
    """End an assignment at `at`; delete it if it would end when it begins, or before."""
    if assignment.during.lower >= at:
        assignment.delete()
        return
    assignment.during = DateTimeTZRange(assignment.during.lower, at, "[)")
    assignment.save(update_fields=["during"])


def take_moved_histories() -> list[MovedHistory]:
    """Return each row of `MovedHistory`, with its asset, and delete it.

    Call it in the transaction that records the work to be done.
    """
    rows = MovedHistory.objects.select_for_update(of=["self"], skip_locked=True).order_by("pk")
    promised = list(rows.select_related("asset", "recorded_by"))
    MovedHistory.objects.filter(pk__in=[row.pk for row in promised]).delete()
    return promised
