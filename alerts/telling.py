"""Who is owed a word about a change, in plain Python.

Nobody hears twice of the same, and nobody hears a correction of what they never heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from alerts.changes import ChangeKind

Reason = Literal["raised", "amended", "withdrawn"]


class Word(Struct, frozen=True, kw_only=True):
    """A notification as it stands. What is pending is written when it is sent, not before."""

    recipient_id: int
    reason: Reason
    is_pending: bool
    may_be_known: bool


def words_owed(
    change: ChangeKind, recipient_ids: Sequence[int], past: Iterable[Word]
) -> list[tuple[int, Reason]]:
    """Return whom to tell, and what for.

    `recipient_ids` are those of the rule, none if it no longer holds; `past` is everything
    about this alert, oldest first, after what need not be sent any more was cancelled.
    """
    if change in ("resolved", "reopened"):
        return []
    if change == "raised":
        return [(recipient_id, "raised") for recipient_id in recipient_ids]
    known, awaited = _known_and_awaited(past)
    believers = [recipient_id for recipient_id, reason in known.items() if reason != "withdrawn"]
    if change == "withdrawn":
        return [(recipient_id, "withdrawn") for recipient_id in believers]
    if change == "amended":
        return [
            (recipient_id, "amended") for recipient_id in believers if recipient_id not in awaited
        ]
    return [
        (recipient_id, "amended" if recipient_id in believers else "raised")
        for recipient_id in recipient_ids
    ]


def _known_and_awaited(past: Iterable[Word]) -> tuple[dict[int, Reason], set[int]]:
    """Return what each recipient last heard, and who will hear the present state anyway."""
    known: dict[int, Reason] = {}
    awaited: set[int] = set()
    for word in past:
        if word.may_be_known:
            known[word.recipient_id] = word.reason
        elif word.is_pending:
            awaited.add(word.recipient_id)
    return known, awaited
