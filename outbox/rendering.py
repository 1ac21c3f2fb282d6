"""The texts of notifications, rendered by the author of their kind.

An author names one function in the setting OUTBOX_RENDERERS. The function is given all
notifications of its kind in a batch, so that it needs only a few queries, and returns the text of
each, in order, or None if a notification is obsolete.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from outbox.messages import RenderedText
from outbox.models import Notification

logger = logging.getLogger(__name__)

Renderer = Callable[[Sequence[Notification]], Sequence[RenderedText | None]]
Texts = dict[UUID, RenderedText | None]


def render_texts(notifications: Iterable[Notification]) -> Texts:
    """Return the text of each, None if obsolete. A text that cannot be rendered is missing."""
    by_kind: dict[str, list[Notification]] = defaultdict(list)
    for notification in notifications:
        by_kind[notification.kind].append(notification)
    texts: Texts = {}
    for kind, of_kind in by_kind.items():
        texts |= _render_kind(kind, of_kind)
    return texts


def _render_kind(kind: str, notifications: Sequence[Notification]) -> Texts:
    try:
        return _render(kind, notifications)
    except Exception:
        if len(notifications) == 1:
            logger.exception("notification %s cannot be written", notifications[0].pk)
            return {}
    # A mistake of ours in one text must not keep the others from going out.
    texts: Texts = {}
    for notification in notifications:
        texts |= _render_kind(kind, [notification])
    return texts


def _render(kind: str, notifications: Sequence[Notification]) -> Texts:
    renderer: Renderer = import_string(settings.OUTBOX_RENDERERS[kind])
    texts = renderer(notifications)
    return {notification.pk: text for notification, text in zip(notifications, texts, strict=True)}
