"""Changes of assets, and of the devices that report for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organisation, User
from assets.actions.assignments import (
    DISTANT_PAST,
    Reassignment,
    end_or_delete,
    record_moved_history,
)
from assets.actions.registry_revision import raise_registry_revision, stamp_devices_of
from assets.field_maps import json_of_rules, rules_of_json
from assets.models import Asset, Assignment, Device, TagPeriod
from core.constraints import unless_taken
from core.errors import Unprocessable
from core.observation import MAX_IDENTIFIER_LENGTH as MAX_IDENTIFIER_LENGTH
from core.observation import is_identifier, normal_identifier


def add_asset(
    *,
    organisation: Organisation,
    name: str,
    kind: str = "vehicle",
    tags: list[str] | None = None,
    expected_interval_s: int = 300,
) -> Asset:
    with transaction.atomic():
        with unless_taken(f"An asset named {name!r} exists already."):
            asset = Asset.objects.create(
                organisation=organisation,
                name=name,
                kind=kind,
                tags=tags or [],
                expected_interval_s=expected_interval_s,
            )
        if tags:
            TagPeriod.objects.create(asset=asset, tags=tags, valid_from=DISTANT_PAST)
    return asset


def change_asset(
    *,
    asset: Asset,
    name: str | None = None,
    kind: str | None = None,
    tags: list[str] | None = None,
    expected_interval_s: int | None = None,
    tags_from: datetime | None = None,
    by: User | None = None,
) -> Asset:
    """Change the given members of an asset.

    New tags hold from `tags_from` on, which is now unless given and may be in the past; tags
    recorded for the time after that are replaced. Tags link geofences and rules to the asset, so
    its history is judged again from then on.
    """
    has_new_tags = tags is not None and (tags_from is not None or set(tags) != set(asset.tags))
    changes = {"name": name, "kind": kind, "tags": tags, "expected_interval_s": expected_interval_s}
    given = {field: value for field, value in changes.items() if value is not None}
    for field, value in given.items():
        setattr(asset, field, value)
    with transaction.atomic():
        if has_new_tags:
            since = tags_from or timezone.now()
            stamp_devices_of(asset, raise_registry_revision())
            _begin_tags(asset, tags or [], since, by)
            record_moved_history(None, {asset.pk}, since, by, is_scope_changed=True)
        with unless_taken(f"An asset named {asset.name!r} exists already."):
            asset.save(update_fields=list(given))
    return asset


def _begin_tags(asset: Asset, tags: list[str], since: datetime, by: User | None) -> None:
    periods = TagPeriod.objects.filter(asset=asset)
    periods.filter(valid_from__gte=since).delete()
    periods.filter(valid_to__gt=since).update(valid_to=since)
    periods.filter(valid_to=None).update(valid_to=since)
    TagPeriod.objects.create(asset=asset, tags=tags, valid_from=since, recorded_by=by)


def archive_asset(*, asset: Asset, by: User | None = None) -> Reassignment:
    """Archive an asset now. Its assignments end; its history stays."""
    now = timezone.now()
    with transaction.atomic():
        revision = raise_registry_revision()
        Asset.objects.filter(pk=asset.pk, archived_at=None).update(archived_at=now)
        asset.refresh_from_db(fields=["archived_at"])
        stamp_devices_of(asset, revision)
        reaches_on = Q(during__endswith=None) | Q(during__endswith__gt=now)
        for assignment in Assignment.objects.filter(reaches_on, asset=asset):
            end_or_delete(assignment, now)
        return record_moved_history(None, {asset.pk}, now, by)


def register_device(
    *,
    organisation: Organisation,
    identifier: str,
    name: str = "",
    model: str = "",
    field_map: list[dict[str, Any]] | None = None,
    week_rounds: int = 0,
) -> Device:
    """Register a device under the normal spelling of its identifier."""
    spelled = _require_identifier(identifier)
    checked_map = _require_field_map(field_map or [])
    with transaction.atomic():
        revision = raise_registry_revision()
        with unless_taken(f"A device {spelled} exists already."):
            return Device.objects.create(
                organisation=organisation,
                identifier=spelled,
                name=name,
                model=model,
                field_map=checked_map,
                week_rounds=week_rounds,
                revision=revision,
            )


def change_device(
    *,
    device: Device,
    name: str | None = None,
    model: str | None = None,
    field_map: list[dict[str, Any]] | None = None,
    week_rounds: int | None = None,
) -> Device:
    """Change a device; its identifier cannot change. A field map holds for uplinks from then on."""
    device.name = device.name if name is None else name
    device.model = device.model if model is None else model
    device.field_map = device.field_map if field_map is None else _require_field_map(field_map)
    device.week_rounds = device.week_rounds if week_rounds is None else week_rounds
    with transaction.atomic():
        device.revision = raise_registry_revision()
        device.save(update_fields=["name", "model", "field_map", "week_rounds", "revision"])
    return device


def _require_field_map(field_map: Any) -> list[dict[str, Any]]:
    try:
        return json_of_rules(rules_of_json(field_map))
    except ValueError as error:
        raise Unprocessable(f"field_map: {error}") from error


def register_unknown_device(*, organisation_id: int, identifier: str) -> Device:
    """Return the device; if it is new, register it and assign it to a new asset.

    A device that people registered is returned as it is, assigned or not. May be called for
    the same device by several processes at once.
    """
    spelled = _require_identifier(identifier)
    known = Device.objects.filter(organisation_id=organisation_id, identifier=spelled)
    device: Device | None = known.first()
    if device:
        return device
    with transaction.atomic():
        revision = raise_registry_revision()
        # Looked up again: another process may have registered it before we got the lock.
        device = known.first()
        return device or _make_with_asset(organisation_id, spelled, revision)


def _make_with_asset(organisation_id: int, spelled: str, revision: int) -> Device:
    device = Device.objects.create(
        organisation_id=organisation_id, identifier=spelled, revision=revision
    )
    Assignment.objects.create(
        device=device,
        asset=_make_asset_named_after(device),
        during=DateTimeTZRange(DISTANT_PAST, None, "[)"),
    )
    return device


def _make_asset_named_after(device: Device) -> Asset:
    named = Asset.objects.filter(organisation_id=device.organisation_id, name=device.identifier)
    is_taken = named.exists()
    name = f"{device.identifier} (device {device.pk})" if is_taken else device.identifier
    return Asset.objects.create(organisation_id=device.organisation_id, name=name)


def _require_identifier(identifier: str) -> str:
    spelled = normal_identifier(identifier)
    if not is_identifier(spelled):
        raise Unprocessable(
            f"An identifier has 1 to {MAX_IDENTIFIER_LENGTH} printable characters.",
            code="identifier-invalid",
        )
    return spelled
