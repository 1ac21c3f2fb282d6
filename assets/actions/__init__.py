"""Every change of who and what, one verb each, in a transaction of its own or its caller's.

Each change of a source, device or assignment raises the registry's revision first. That row
lock also serialises such changes, so two of them never deadlock over devices. Names that are
taken and periods that overlap are a `Conflict`.
"""

from __future__ import annotations

from assets.actions.assignments import (
    DISTANT_PAST,
    Reassignment,
    assign_device,
    end_assignment,
    take_moved_histories,
    unassign_device,
    withdraw_assignment,
)
from assets.actions.people import (
    add_member,
    change_name,
    change_organisation,
    change_role,
    change_user,
    create_organisation,
    create_user,
    issue_api_token,
    note_token_use,
    remove_member,
    revoke_api_token,
)
from assets.actions.revision import (
    raise_registry_revision,
)
from assets.actions.sources import (
    add_source,
    change_source,
    revoke_source,
    rotate_source_token,
)
from assets.actions.things import (
    MAX_IDENTIFIER_LENGTH,
    add_asset,
    archive_asset,
    change_asset,
    change_device,
    register_device,
    register_unknown_device,
)

__all__ = [
    "DISTANT_PAST",
    "MAX_IDENTIFIER_LENGTH",
    "Reassignment",
    "add_asset",
    "add_member",
    "add_source",
    "archive_asset",
    "assign_device",
    "change_asset",
    "change_device",
    "change_name",
    "change_organisation",
    "change_role",
    "change_source",
    "change_user",
    "create_organisation",
    "create_user",
    "end_assignment",
    "issue_api_token",
    "note_token_use",
    "raise_registry_revision",
    "register_device",
    "register_unknown_device",
    "remove_member",
    "revoke_api_token",
    "revoke_source",
    "rotate_source_token",
    "take_moved_histories",
    "unassign_device",
    "withdraw_assignment",
]
