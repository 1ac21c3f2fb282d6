"""What people and replays do to uplinks that were set aside."""

from __future__ import annotations

from django.utils import timezone

from uplinks.models import SetAside


def mark_replayed(set_aside: SetAside) -> None:
    """Note that an uplink that was set aside has been taken up."""
    set_aside.replayed_at = timezone.now()
    set_aside.save(update_fields=["replayed_at"])
