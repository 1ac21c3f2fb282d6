"""Every change of assets, devices, assignments and sources: a function for each.

Each runs in its own transaction or its caller's. Each change of a source, device or assignment
raises the registry's revision first. That row lock also serialises such changes, so that two
changes never deadlock over devices. Taken names and overlapping periods are a `Conflict`.
"""

from __future__ import annotations

from assets.actions.assets_and_devices import (
    MAX_IDENTIFIER_LENGTH,
    add_asset,
    archive_asset,
    change_asset,
    change_device,
    register_device,
    register_unknown_device,
)
from assets.actions.assignments import (
    DISTANT_PAST,
    Reassignment,
    assign_device,
    end_assignment,
    take_moved_histories,
    unassign_device,
    withdraw_assignment,
)
from assets.actions.registry_revision import raise_registry_revision
from assets.actions.sources import (
    add_source,
    change_source,
    revoke_source,
    rotate_source_token,
)

__all__ = [
    "DISTANT_PAST",
    "MAX_IDENTIFIER_LENGTH",
    "Reassignment",
    "add_asset",
    "add_source",
    "archive_asset",
    "assign_device",
    "change_asset",
    "change_device",
    "change_source",
    "end_assignment",
    "raise_registry_revision",
    "register_device",
    "register_unknown_device",
    "revoke_source",
    "rotate_source_token",
    "take_moved_histories",
    "unassign_device",
    "withdraw_assignment",
]
