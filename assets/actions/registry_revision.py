"""The revision of the registry, which each change of a source, device or assignment raises."""

from __future__ import annotations

from django.db import connection

from assets.models import Asset, Device


def raise_registry_revision() -> int:
    """Raise the revision of the registry and return it; its row is locked until the commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO assets_registryrevision AS r (id, revision) VALUES (1, 1)"
            " ON CONFLICT (id) DO UPDATE SET revision = r.revision + 1 RETURNING r.revision"
        )
        row = cursor.fetchone()
    assert row is not None, "an upsert returns its row"
    return int(row[0])


def stamp_device(device: Device, revision: int) -> None:
    """Mark `device` as changed with `revision`, so that registries in memory load it again."""
    device.revision = revision
    device.save(update_fields=["revision"])


def stamp_devices_of(asset: Asset, revision: int) -> None:
    Device.objects.filter(assignments__asset=asset).update(revision=revision)
