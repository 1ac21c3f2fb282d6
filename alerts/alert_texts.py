"""The texts of notifications about alerts: plain for any channel, and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

from django.conf import settings
from django.template.loader import render_to_string

from alerts import wording
from alerts.due_notifications import Reason
from alerts.models import Alert, AlertNotification
from outbox.messages import RenderedText, one_line
from outbox.models import Notification

COLOURS: Final = {"info": "#005a9c", "warning": "#b45309", "critical": "#b91c1c"}
_RELATED: Final = ("organisation", "asset", "geofence", "rule", "rule_version", "crossing")


def render(notifications: Sequence[Notification]) -> list[RenderedText | None]:
    """Return the text of each with the present state of its alert, or None if it is obsolete."""
    found = AlertNotification.objects.select_related(
        "notification", "change", "recipient", *(f"alert__{name}" for name in _RELATED)
    ).in_bulk([notification.pk for notification in notifications])
    return [_text(found.get(notification.pk)) for notification in notifications]


def _text(row: AlertNotification | None) -> RenderedText | None:
    if row is None or not row.recipient.is_active or _is_obsolete(row):
        return None
    is_amendment = row.reason == AlertNotification.Reason.AMENDED
    told_at = _known_at(row) if is_amendment else row.change.previous_at
    if is_amendment and told_at is not None and _is_near(row.alert.at, told_at):
        return None
    context = _context(row, told_at)
    return RenderedText(
        subject=context["subject"],
        plain=render_to_string("alerts/mail.txt", context),
        html=render_to_string("alerts/mail.html", context),
        # All mails about one alert show as one conversation.
        thread=f"alert-{row.alert_id}",
        headers={"X-Alert-Id": str(row.alert_id)},
    )


def _is_obsolete(row: AlertNotification) -> bool:
    """Return whether the alert was reversed, or its rule ended, since the notification was written.

    Pending notifications are cancelled at once then. This finds a notification that a worker had
    claimed at that moment, and could not send.
    """
    is_withdrawn: bool = row.alert.state == Alert.State.WITHDRAWN
    is_reversed = is_withdrawn != (row.reason == AlertNotification.Reason.WITHDRAWN)
    ended_at = row.alert.rule.retired_at
    is_of_ended_rule = (
        row.reason == AlertNotification.Reason.RAISED
        and ended_at is not None
        and row.notification.created_at <= ended_at
    )
    return is_reversed or is_of_ended_rule


def _known_at(row: AlertNotification) -> datetime | None:
    """Return the time of the alert as its recipient knows it; None if it is not known.

    A correction is enqueued once the mail before is sent. So the first correction after that mail,
    sent or not, knows the time in it.
    """
    rows = AlertNotification.objects.filter(
        alert=row.alert, recipient=row.recipient, change_id__lte=row.change_id
    )
    told_at = None
    for earlier in rows.select_related("notification", "change").order_by("-change_id"):
        notification = earlier.notification
        is_sent = notification.state == Notification.State.SENT or notification.may_have_arrived
        if earlier.pk != row.pk and is_sent:
            break
        told_at = earlier.change.previous_at or told_at
    return told_at


def _is_near(at: datetime, told_at: datetime) -> bool:
    least_s: float = settings.CORRECTION_LEAST_S
    return abs((at - told_at).total_seconds()) < least_s


def _context(row: AlertNotification, previous_at: datetime | None) -> dict[str, Any]:
    alert, reason = row.alert, cast("Reason", row.reason)
    zone = wording.zone_named(alert.organisation.time_zone)
    sentence = sentence_about(alert, is_withdrawn=reason == "withdrawn")
    crossing = alert.crossing
    window = (crossing.not_before, crossing.estimate) if crossing else (None, None)
    local = wording.window_text(alert.at, *window, zone)
    utc = wording.window_text(alert.at, *window, UTC)
    is_correction = row.change.change != "raised"
    return {
        "alert": alert,
        "asset_name": one_line(alert.asset.name),
        "geofence_name": one_line(alert.geofence.name) if alert.geofence else "",
        "rule_name": one_line(alert.rule.name),
        "organisation_name": one_line(alert.organisation.name),
        "sentence": sentence,
        "subject": wording.subject(
            sentence,
            is_correction=is_correction,
            is_moved=reason == "amended" and previous_at is not None,
            is_late=alert.is_late,
        ),
        "label": "Correction" if is_correction else "Late" if alert.is_late else "",
        "remark": wording.remark(
            reason,
            is_moved=previous_at is not None,
            is_late=alert.is_late,
            opened=wording.clock_text(alert.opened_at, zone),
        ),
        "inference": "" if reason == "withdrawn" else wording.inference(alert.kind),
        "time_label": "We told you" if reason == "withdrawn" else "When",
        "local_time": local,
        "previous_time": wording.clock_text(previous_at, zone) if previous_at else "",
        "utc_time": utc if utc != local else "",
        "colour": COLOURS[alert.rule_version.severity],
        "url": f"{settings.PUBLIC_URL}/app/alerts?alert={alert.pk}",
        "recipient": row.notification.address,
    }


def sentence_about(alert: Alert, *, is_withdrawn: bool) -> str:
    geofence = alert.geofence.name if alert.geofence else None
    return wording.sentence(alert.asset.name, alert.kind, geofence, is_withdrawn=is_withdrawn)
