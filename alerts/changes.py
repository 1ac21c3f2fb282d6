"""What judging changed, as the road hears of it: plain values."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from msgspec import Struct

ChangeKind = Literal["raised", "amended", "withdrawn", "reinstated", "resolved", "reopened"]


class Raised(Struct, frozen=True, kw_only=True):
    """An alert that was raised or corrected, its number in the stream, and who is to be told.

    After the commit, `number` goes out as a `core.broadcast.Alerted` frame and
    `notification_ids` go to `outbox.nudging.nudge`.
    """

    change: ChangeKind
    alert_id: int
    number: int
    organisation_id: int
    notification_ids: tuple[UUID, ...]
