"""Sources and their tokens."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation
from accounts.tokens import digest_of, new_token, prefix_of
from assets.actions.registry_revision import raise_registry_revision
from assets.models import Device, Source
from core.constraints import unless_taken
from core.errors import Conflict, Unprocessable


def add_source(
    *,
    organisation: Organisation,
    name: str,
    wire_format: str,
    device: Device | None = None,
    unknown_devices: str = Source.UnknownDevices.SET_ASIDE,
    token: str = "",
) -> tuple[Source, str]:
    """Add a source. Returns it with its token, a new one unless given; it is not stored.

    With `device` the token may report for that device only.
    """
    if device is not None and device.organisation_id != organisation.pk:
        raise Unprocessable("Source and device belong to one organisation.", code="not-one-tenant")
    token = token or new_token()
    with transaction.atomic():
        raise_registry_revision()
        with unless_taken(f"A source named {name!r} exists already."):
            source = Source.objects.create(
                organisation=organisation,
                name=name,
                wire_format=wire_format,
                device=device,
                unknown_devices=unknown_devices,
                prefix=prefix_of(token),
                digest=digest_of(token),
            )
    return source, token


def change_source(
    *, source: Source, name: str | None = None, unknown_devices: str | None = None
) -> Source:
    source.name = source.name if name is None else name
    source.unknown_devices = unknown_devices or source.unknown_devices
    with transaction.atomic():
        raise_registry_revision()
        with unless_taken(f"A source named {source.name!r} exists already."):
            source.save(update_fields=["name", "unknown_devices"])
    return source


def rotate_source_token(*, source: Source, overlap_s: float, token: str = "") -> str:
    """Give a source a new token and return it; the former stays valid for `overlap_s` seconds."""
    token = token or new_token()
    with transaction.atomic():
        raise_registry_revision()
        source.refresh_from_db()
        if source.revoked_at is not None:
            raise Conflict("The source is revoked.", code="source-revoked")
        source.previous_digest = source.digest if overlap_s > 0 else ""
        source.previous_valid_until = (
            timezone.now() + timedelta(seconds=overlap_s) if overlap_s > 0 else None
        )
        source.prefix, source.digest = prefix_of(token), digest_of(token)
        source.save(update_fields=["prefix", "digest", "previous_digest", "previous_valid_until"])
    return token


def revoke_source(*, source: Source) -> Source:
    """Revoke a source and both of its tokens. This is final."""
    with transaction.atomic():
        raise_registry_revision()
        Source.objects.filter(pk=source.pk, revoked_at=None).update(
            revoked_at=timezone.now(), previous_digest="", previous_valid_until=None
        )
        source.refresh_from_db()
    return source
