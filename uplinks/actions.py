"""Changes of uplinks that were set aside."""

from __future__ import annotations

from django.utils import timezone

from uplinks.models import SetAside


def mark_replayed(set_aside: SetAside) -> None:
    """Record that an uplink which was set aside has been replayed."""
    set_aside.replayed_at = timezone.now()
    set_aside.save(update_fields=["replayed_at"])
