"""What a notification of an alert says, as a text for any channel and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final, cast

from django.conf import settings
from django.template.loader import render_to_string

from alerts import wording
from alerts.models import Alert, AlertNotification
from alerts.telling import Reason
from outbox.messages import RenderedText, one_line
from outbox.models import Notification

COLOURS: Final = {"info": "#005a9c", "warning": "#b45309", "critical": "#b91c1c"}
_NAMED: Final = ("organisation", "asset", "geofence", "rule", "rule_version")


def render(notifications: Sequence[Notification]) -> list[RenderedText | None]:
    """Return the text of each, with the alert as it now stands; None where nobody need hear it."""
    about = AlertNotification.objects.select_related(
        "notification", "change", "recipient", *(f"alert__{name}" for name in _NAMED)
    ).in_bulk([notification.pk for notification in notifications])
    return [_text(about.get(notification.pk)) for notification in notifications]


def _text(row: AlertNotification | None) -> RenderedText | None:
    if row is None or not row.recipient.is_active or _is_overtaken(row):
        return None
    context = _context(row)
    return RenderedText(
        subject=context["subject"],
        plain=render_to_string("alerts/mail.txt", context),
        html=render_to_string("alerts/mail.html", context),
        # All mails about one alert show as one conversation.
        thread=f"alert-{row.alert_id}",
        headers={"X-Alert-Id": str(row.alert_id)},
    )


def _is_overtaken(row: AlertNotification) -> bool:
    """Whether the alert was withdrawn, or reinstated, since this was to be told.

    What waits then is cancelled at once; this finds what was claimed at that moment, and failed.
    """
    is_withdrawn: bool = row.alert.state == Alert.State.WITHDRAWN
    return is_withdrawn != (row.reason == AlertNotification.Reason.WITHDRAWN)


def _context(row: AlertNotification) -> dict[str, Any]:
    alert, reason = row.alert, cast("Reason", row.reason)
    zone = wording.zone_named(alert.organisation.time_zone)
    said = sentence_about(alert, is_withdrawn=reason == "withdrawn")
    was_at = row.change.was_at
    local, utc = wording.clock_text(alert.at, zone), wording.clock_text(alert.at, UTC)
    is_correction = alert.is_late or row.change.change != "raised"
    return {
        "alert": alert,
        "asset_name": one_line(alert.asset.name),
        "geofence_name": one_line(alert.geofence.name) if alert.geofence else "",
        "rule_name": one_line(alert.rule.name),
        "organisation_name": one_line(alert.organisation.name),
        "said": said,
        "subject": wording.subject(said, is_correction=is_correction),
        "is_correction": is_correction,
        "remark": wording.remark(
            reason,
            is_moved=was_at is not None,
            is_late=alert.is_late,
            opened=wording.clock_text(alert.opened_at, zone),
        ),
        "time_label": "We told you" if reason == "withdrawn" else "When",
        "local_time": local,
        "was_time": wording.clock_text(was_at, zone) if was_at else "",
        "utc_time": utc if utc != local else "",
        "colour": COLOURS[alert.rule_version.severity],
        "url": f"{settings.PUBLIC_URL}/app/alerts?alert={alert.pk}",
        "recipient": row.notification.address,
    }


def sentence_about(alert: Alert, *, is_withdrawn: bool) -> str:
    geofence = alert.geofence.name if alert.geofence else None
    return wording.sentence(alert.asset.name, alert.kind, geofence, is_withdrawn=is_withdrawn)
