"""A row of each resource of the REST API."""

from __future__ import annotations

from accounts.models import Organisation, User
from alerts.models import Recipient
from outbox.models import Notification
from positions.actions import ask_for_rejudging
from tests import builders
from tests.alerts.scenes import make_geofence, make_rule, raise_alert
from uplinks.models import SetAside


def one_of_each(organisation: Organisation, owner: User, word: str) -> dict[str, object]:
    """Return the id of one row of each resource, all of `organisation` and named with `word`."""
    van = builders.make_van(organisation, f"{word} van", f"{word}0")
    source, _ = builders.make_source(organisation, name=f"{word} gateway")
    builders.make_api_token(owner, f"{word} laptop")
    geofence = make_geofence(organisation, f"{word} depot")
    rule = make_rule(geofence, f"{word}@example.com", name=f"{word} watch")
    alert = raise_alert(van, geofence)
    uplink = SetAside.objects.create(
        organisation=organisation,
        source=source,
        received_at=builders.NOON,
        reason="unknown-device",
        detail=f"{word} detail",
        device_identifier=f"{word}1",
        body=b"{}",
        digest=b"0" * 32,
    )
    return {
        "organisations": organisation.pk,
        "members": owner.memberships.get().pk,
        "assets": van.pk,
        "devices": builders.device_on(van).pk,
        "assignments": van.assignments.get().pk,
        "sources": source.pk,
        "tokens": owner.api_tokens.get().pk,
        "geofences": geofence.pk,
        "crossings": alert.crossing_id,
        "rules": rule.pk,
        "recipients": Recipient.objects.get().pk,
        "alerts": alert.pk,
        "uplinks": uplink.pk,
        "rejudgings": ask_for_rejudging(
            organisation_id=organisation.pk, since=builders.NOON, reason=f"{word} redrawn"
        ),
        "notifications": Notification.objects.get().pk,
    }
