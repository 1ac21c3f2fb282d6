"""What each change shares: the registry's revision, and names that may be taken."""

from __future__ import annotations

from django.db import connection

from assets.models import Asset, Device


def raise_registry_revision() -> int:
    """Return the new revision of the registry, holding its row lock until the commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO assets_registryrevision AS r (id, revision) VALUES (1, 1)"
            " ON CONFLICT (id) DO UPDATE SET revision = r.revision + 1 RETURNING r.revision"
        )
        row = cursor.fetchone()
    assert row is not None, "an upsert returns its row"
    return int(row[0])


def stamp(device: Device, revision: int) -> None:
    """Let registries in memory see that `device` changed with `revision`."""
    device.revision = revision
    device.save(update_fields=["revision"])


def stamp_devices_of(asset: Asset, revision: int) -> None:
    Device.objects.filter(assignments__asset=asset).update(revision=revision)
