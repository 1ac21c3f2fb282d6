"""The writes of people to rules, recipients and alerts, one verb each.

Each runs in a transaction of its own or its caller's. The writes that follow from facts are in
`rule_judging`; sending belongs to the outbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation, User
from alerts.alert_statements import take_numbers
from alerts.models import Alert, AlertChange, Recipient, Rule, RuleVersion, Severity
from alerts.notification_statements import cancel_notifications_of_rule
from alerts.recipients import find_or_add_recipients
from assets.models import Asset
from core.constraints import unless_taken
from core.errors import Conflict, Fault, Unprocessable
from geofence.models import Geofence
from outbox.messages import EMAIL

MAX_RECIPIENTS = 100


def add_rule(
    *,
    organisation: Organisation,
    name: str,
    trigger: str,
    geofence: Geofence,
    severity: str = Severity.WARNING,
    recipients: Sequence[str] = (),
    asset_ids: Sequence[int] = (),
    tags: Sequence[str] = (),
    is_active: bool = True,
    quiet_from: time | None = None,
    quiet_until: time | None = None,
    time_zone: str | None = None,
    now: datetime | None = None,
) -> Rule:
    """Add a rule that is in force from now on. Without recipients its alerts notify no person.

    Occurrences in quiet hours raise no alert. Quiet hours are in `time_zone`, or in the present
    time zone of the organisation.
    """
    settings = {
        "trigger": trigger,
        "geofence": geofence,
        "severity": severity,
        "recipients": recipients,
        "asset_ids": asset_ids,
        "tags": tags,
        "is_active": is_active,
        "quiet_from": quiet_from,
        "quiet_until": quiet_until,
        "time_zone": time_zone or organisation.time_zone,
    }
    with transaction.atomic():
        checked = _checked(organisation.pk, settings)
        _require_whole_quiet_hours(checked)
        with unless_taken(f"A rule named {name!r} exists already."):
            rule = Rule.objects.create(organisation=organisation, name=name)
        _begin_version(rule, 1, checked, now or timezone.now())
    return rule


def change_rule(
    *, rule: Rule, name: str | None = None, now: datetime | None = None, **settings: Any
) -> Rule:
    """Change the given settings, as a new version from now on; the past keeps the old version.

    `settings` are those of `add_rule`.
    """
    with transaction.atomic():
        checked = _checked(rule.organisation_id, settings)
        current = _current_version(rule)
        if name is not None and name != rule.name:
            rule.name = name
            with unless_taken(f"A rule named {name!r} exists already."):
                rule.save(update_fields=["name"])
        kept = {field: getattr(current, field) for field in _SETTINGS}
        if checked and kept | checked != kept:
            _require_whole_quiet_hours(kept | checked)
            since = max(now or timezone.now(), current.valid_from)
            RuleVersion.objects.filter(pk=current.pk).update(valid_to=since)
            _begin_version(rule, current.version + 1, kept | checked, since)
    return rule


def retire_rule(*, rule: Rule, now: datetime | None = None) -> Rule:
    """End a rule for good, and cancel what waits to be sent because of it.

    Crossings before its end still count, however late they are reported. Corrections of what was
    sent before still go out.
    """
    with transaction.atomic():
        current = _current_version(rule)
        rule.retired_at = max(now or timezone.now(), current.valid_from)
        RuleVersion.objects.filter(pk=current.pk).update(valid_to=rule.retired_at)
        rule.save(update_fields=["retired_at"])
        cancel_notifications_of_rule(rule.pk)
    return rule


def add_recipient(
    *, organisation: Organisation, address: str, name: str = "", is_active: bool = True
) -> Recipient:
    """Add a person whom rules may notify by e-mail. Conflict if the address exists already."""
    _require_address(address, "/address")
    with unless_taken(f"There is a recipient {address} already."):
        return Recipient.objects.create(
            organisation=organisation,
            channel=EMAIL,
            address=address,
            name=name,
            is_active=is_active,
        )


def change_recipient(
    *, recipient: Recipient, name: str | None = None, is_active: bool | None = None
) -> Recipient:
    """Change what is given. An inactive recipient is not notified from now on.

    The address stays: versions of rules and notifications of the past refer to it.
    """
    given = {"name": name, "is_active": is_active}
    changes = {field: value for field, value in given.items() if value is not None}
    for field, value in changes.items():
        setattr(recipient, field, value)
    recipient.save(update_fields=list(changes))
    return recipient


def acknowledge_alert(*, alert: Alert, user: User, now: datetime | None = None) -> bool:
    """Record that `user` looks after `alert`; return whether `user` was the first to do so.

    `alert` then names the first. Conflict if it was withdrawn. The caller publishes its number.
    """
    now = now or timezone.now()
    with transaction.atomic():
        state = Alert.objects.select_for_update().values_list("state", flat=True).get(pk=alert.pk)
        if state == Alert.State.WITHDRAWN:
            raise Conflict("The alert was withdrawn: it never happened.")
        is_first: bool = state == Alert.State.OPEN
        if is_first:
            _acknowledge(alert, user, now)
    alert.refresh_from_db(fields=["state", "number", "acknowledged_at", "acknowledged_by"])
    return is_first


def _acknowledge(alert: Alert, user: User, now: datetime) -> None:
    number = take_numbers(1)[0]
    Alert.objects.filter(pk=alert.pk).update(
        state=Alert.State.ACKNOWLEDGED, number=number, acknowledged_by=user, acknowledged_at=now
    )
    AlertChange.objects.create(
        number=number,
        organisation_id=alert.organisation_id,
        alert=alert,
        change=AlertChange.Change.ACKNOWLEDGED,
        by=user,
        recorded_at=now,
    )


# --- versions ------------------------------------------------------------------

_SETTINGS = (
    "trigger", "geofence", "severity", "recipient_ids", "asset_ids", "tags", "is_active",
    "quiet_from", "quiet_until", "time_zone",
)  # fmt: skip


def _current_version(rule: Rule) -> RuleVersion:
    """Lock the rule until the commit, and return its version in force."""
    locked = Rule.objects.select_for_update().get(pk=rule.pk)
    if locked.retired_at is not None:
        raise Conflict("The rule is retired.")
    version: RuleVersion = RuleVersion.objects.select_related("geofence").get(
        rule=rule, valid_to=None
    )
    return version


def _begin_version(rule: Rule, version: int, settings: dict[str, Any], since: datetime) -> None:
    RuleVersion.objects.create(rule=rule, version=version, valid_from=since, **settings)


def _checked(organisation_id: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Return `settings` as they are stored, or refuse objects of other organisations.

    New addresses become recipients, in the caller's transaction.
    """
    checked = {name: value for name, value in settings.items() if name != "recipients"}
    if "geofence" in settings:
        _require_own_geofence(organisation_id, settings["geofence"])
    if "recipients" in settings:
        addresses = settings["recipients"]
        _require_addresses(addresses)
        checked["recipient_ids"] = find_or_add_recipients(organisation_id, EMAIL, addresses)
    if "asset_ids" in settings:
        checked["asset_ids"] = sorted(set(settings["asset_ids"]))
        _require_own_assets(organisation_id, settings["asset_ids"])
    if "tags" in settings:
        checked["tags"] = sorted(set(settings["tags"]))
    if "time_zone" in settings and settings["time_zone"] not in available_timezones():
        raise _wrong("/time_zone", "time-zone-unknown", "Not an IANA time zone.")
    return checked


def _require_whole_quiet_hours(settings: dict[str, Any]) -> None:
    since, until = settings["quiet_from"], settings["quiet_until"]
    if (since is None) != (until is None):
        missing = "quiet_from" if since is None else "quiet_until"
        raise _wrong(f"/{missing}", "required", "Quiet hours have a beginning and an end.")
    if since is not None and since == until:
        raise _wrong("/quiet_until", "invalid", "Quiet hours end at another time of day.")


def _require_own_geofence(organisation_id: int, geofence: Geofence) -> None:
    if geofence.organisation_id != organisation_id or geofence.deleted_at is not None:
        raise _wrong("/geofence", "does-not-exist", "There is no such geofence.")


def _require_own_assets(organisation_id: int, asset_ids: Sequence[int]) -> None:
    """Refuse unknown assets, and assets of other organisations in the same words."""
    own = set(
        Asset.objects.filter(organisation_id=organisation_id, pk__in=asset_ids).values_list(
            "pk", flat=True
        )
    )
    for place, asset_id in enumerate(asset_ids):
        if asset_id not in own:
            raise _wrong(f"/asset_ids/{place}", "does-not-exist", "There is no such asset.")


def _require_addresses(addresses: Sequence[str]) -> None:
    if len(addresses) > MAX_RECIPIENTS:
        raise _wrong("/recipients", "max-length", f"At most {MAX_RECIPIENTS} recipients.")
    for place, address in enumerate(addresses):
        _require_address(address, f"/recipients/{place}")


def _require_address(address: str, pointer: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise _wrong(pointer, "invalid", "Not an e-mail address.") from error


def _wrong(pointer: str, code: str, detail: str) -> Unprocessable:
    return Unprocessable(detail, faults=(Fault(pointer=pointer, code=code, detail=detail),))
