"""The result of judging rules, for the road: plain values."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from msgspec import Struct

AlertChangeKind = Literal["raised", "amended", "withdrawn", "reinstated", "resolved", "reopened"]


class ChangedAlert(Struct, frozen=True, kw_only=True):
    """An alert that was raised or corrected, with the number of the change in the alert stream.

    After the commit, `number` is published as a `core.broadcast.Alerted` frame and
    `notification_ids` are passed to `outbox.nudging.nudge`.
    """

    change: AlertChangeKind
    alert_id: int
    number: int
    organisation_id: int
    notification_ids: tuple[UUID, ...]
