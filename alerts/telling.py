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

    recipient: str
    reason: Reason
    is_pending: bool
    may_be_known: bool


def words_owed(
    change: ChangeKind, recipients: Sequence[str], past: Iterable[Word]
) -> list[tuple[str, Reason]]:
    """Return whom to tell, and what for.

    `recipients` are those of the rule, none if it no longer holds; `past` is everything
    about this alert, oldest first, after what need not be sent any more was cancelled.
    """
    if change in ("resolved", "reopened"):
        return []
    if change == "raised":
        return [(recipient, "raised") for recipient in recipients]
    known, awaited = _known_and_awaited(past)
    believers = [recipient for recipient, reason in known.items() if reason != "withdrawn"]
    if change == "withdrawn":
        return [(recipient, "withdrawn") for recipient in believers]
    if change == "amended":
        return [(recipient, "amended") for recipient in believers if recipient not in awaited]
    return [
        (recipient, "amended" if recipient in believers else "raised") for recipient in recipients
    ]


def _known_and_awaited(past: Iterable[Word]) -> tuple[dict[str, Reason], set[str]]:
    """Return what each recipient last heard, and who will hear the present state anyway."""
    known: dict[str, Reason] = {}
    awaited: set[str] = set()
    for word in past:
        if word.may_be_known:
            known[word.recipient] = word.reason
        elif word.is_pending:
            awaited.add(word.recipient)
    return known, awaited
