"""Rules, alerts and notifications in the REST API; the live socket renders alerts the same way."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Organisation
from alerts.actions import MAX_RECIPIENTS
from alerts.alert_texts import sentence_about
from alerts.models import (
    Alert,
    AlertChange,
    AlertNotification,
    Recipient,
    Rule,
    RuleVersion,
    Severity,
)
from core.rest.bodies import StrictBody
from core.rest.fields import NameField, OperableField
from geofence.models import Correction, Crossing, Geofence
from outbox.models import Notification, NotificationAttempt


class RuleSerializer(StrictBody, serializers.Serializer[Rule]):
    """A rule with its version in force. Without `asset_ids` and `tags` it concerns every asset."""

    id = serializers.IntegerField(read_only=True)
    organisation = OperableField(queryset=Organisation.objects)
    name = NameField(max_length=200)
    trigger = serializers.ChoiceField(choices=RuleVersion.Trigger.choices)
    geofence = OperableField(queryset=Geofence.objects.filter(deleted_at=None))
    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.WARNING)
    recipients = serializers.ListField(
        child=serializers.EmailField(), max_length=MAX_RECIPIENTS, required=False
    )
    asset_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        max_length=1000,
        required=False,
    )
    tags = serializers.ListField(child=NameField(max_length=64), max_length=64, required=False)
    is_active = serializers.BooleanField(default=True)
    quiet_from = serializers.TimeField(
        required=False, allow_null=True, help_text="from then on occurrences raise no alert"
    )
    quiet_until = serializers.TimeField(
        required=False, allow_null=True, help_text="on the next day, if not later"
    )
    time_zone = serializers.CharField(
        max_length=64, required=False, help_text="of the quiet hours; by default the organisation's"
    )
    version = serializers.IntegerField(read_only=True)
    valid_from = serializers.DateTimeField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    retired_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def to_representation(self, instance: Rule) -> dict[str, Any]:
        """Render the settings of `current_version`, which the queryset prefetches."""
        version: RuleVersion = instance.current_version[0]  # type: ignore[attr-defined]
        shown = {field: getattr(version, field) for field in _OF_VERSION}
        shown["recipients"] = version.addresses  # type: ignore[attr-defined]
        at = serializers.DateTimeField()
        return shown | {
            "id": instance.pk,
            "organisation": instance.organisation_id,
            "name": instance.name,
            "geofence": version.geofence_id,
            "valid_from": at.to_representation(version.valid_from),
            "created_at": at.to_representation(instance.created_at),
            "retired_at": None,
        }


_OF_VERSION = (
    "trigger", "severity", "asset_ids", "tags", "is_active", "quiet_from",
    "quiet_until", "time_zone", "version",
)  # fmt: skip


class RecipientSerializer(StrictBody, serializers.ModelSerializer[Recipient]):
    """A person whom rules may notify. Rules name addresses, and add missing recipients."""

    organisation = OperableField(queryset=Organisation.objects)
    address = serializers.EmailField(max_length=320)

    class Meta:
        model = Recipient
        fields: tuple[str, ...] = (
            "id",
            "organisation",
            "channel",
            "address",
            "name",
            "is_active",
            "created_at",
        )
        read_only_fields = ("channel", "created_at")
        # The action answers an existing address with 409; the serializer makes no query for it.
        validators: list[Any] = []


class AlertSerializer(StrictBody, serializers.ModelSerializer[Alert]):
    """`number` is the number of the latest change; `text` describes the alert in a sentence."""

    rule_name = serializers.CharField(source="rule.name", read_only=True)
    severity = serializers.ChoiceField(
        source="rule_version.severity", choices=Severity.choices, read_only=True
    )
    asset_name = serializers.CharField(source="asset.name", read_only=True)
    geofence_name = serializers.CharField(
        source="geofence.name", read_only=True, default=None, allow_null=True
    )
    not_before = serializers.DateTimeField(
        source="crossing.not_before",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="last report before it, of a crossing; `at` is the first after it",
    )
    estimate = serializers.DateTimeField(
        source="crossing.estimate",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="between the two, where the straight way meets the edge",
    )
    is_inferred = serializers.BooleanField(
        source="crossing.is_inferred",
        read_only=True,
        default=False,
        help_text="no report shows it, but the way between two",
    )
    acknowledged_by_name = serializers.SerializerMethodField()
    text = serializers.SerializerMethodField()

    class Meta:
        model = Alert
        fields = (
            "id",
            "number",
            "organisation",
            "rule",
            "rule_name",
            "severity",
            "asset",
            "asset_name",
            "geofence",
            "geofence_name",
            "crossing",
            "evidence_kind",
            "evidence_id",
            "kind",
            "at",
            "not_before",
            "estimate",
            "is_inferred",
            "end_at",
            "peak",
            "margin",
            "opened_at",
            "state",
            "is_late",
            "amended_at",
            "withdrawn_at",
            "acknowledged_by_name",
            "acknowledged_at",
            "has_no_recipient",
            "text",
        )
        read_only_fields = fields

    def get_acknowledged_by_name(self, alert: Alert) -> str | None:
        person = alert.acknowledged_by
        return (person.get_full_name() or person.get_username()) if person else None

    def get_text(self, alert: Alert) -> str:
        return sentence_about(alert, is_withdrawn=alert.state == Alert.State.WITHDRAWN)


class AlertChangeSerializer(StrictBody, serializers.ModelSerializer[AlertChange]):
    class Meta:
        model = AlertChange
        fields = ("number", "change", "previous_at", "recorded_at")
        read_only_fields = fields


class RuleVersionSerializer(StrictBody, serializers.ModelSerializer[RuleVersion]):
    recipients = serializers.ListField(
        child=serializers.EmailField(), source="addresses", read_only=True
    )

    class Meta:
        model = RuleVersion
        fields = (
            "id",
            "version",
            "trigger",
            "geofence",
            "severity",
            "asset_ids",
            "tags",
            "recipients",
            "is_active",
            "quiet_from",
            "quiet_until",
            "time_zone",
            "valid_from",
            "valid_to",
        )
        read_only_fields = fields


class CorrectionSerializer(StrictBody, serializers.ModelSerializer[Correction]):
    class Meta:
        model = Correction
        fields = ("id", "change", "before", "after", "cause", "recorded_at")
        read_only_fields = fields


class EvidenceSerializer(StrictBody, serializers.ModelSerializer[Crossing]):
    """The crossing that raised an alert, with its window of time and its confirmation."""

    corrections = CorrectionSerializer(many=True, read_only=True)

    class Meta:
        model = Crossing
        fields = (
            "id",
            "kind",
            "at",
            "not_before",
            "not_after",
            "estimate",
            "confirmed_at",
            "device_id",
            "version",
            "is_inferred",
            "is_late",
            "lon_deg",
            "lat_deg",
            "recorded_at",
            "withdrawn_at",
            "corrections",
        )
        read_only_fields = fields


class ExplanationSerializer(StrictBody, serializers.Serializer[Alert]):
    """The reasons for the state of an alert: facts, the version of the rule, and each change."""

    alert = AlertSerializer(source="*")
    rule_version = RuleVersionSerializer()
    crossing = EvidenceSerializer(allow_null=True)
    changes = AlertChangeSerializer(many=True)


class AttemptSerializer(StrictBody, serializers.ModelSerializer[NotificationAttempt]):
    class Meta:
        model = NotificationAttempt
        fields = ("number", "started_at", "outcome", "detail")
        read_only_fields = fields


class NotificationSerializer(StrictBody, serializers.ModelSerializer[AlertNotification]):
    id = serializers.UUIDField(source="pk", read_only=True)
    sender = serializers.CharField(source="notification.channel", read_only=True)
    recipient = serializers.CharField(source="notification.address", read_only=True)
    state = serializers.ChoiceField(
        source="notification.state", choices=Notification.State.choices, read_only=True
    )
    attempts = serializers.IntegerField(source="notification.attempts", read_only=True)
    next_try_at = serializers.DateTimeField(source="notification.next_try_at", read_only=True)
    may_have_arrived = serializers.BooleanField(
        source="notification.may_have_arrived",
        read_only=True,
        help_text="an attempt ended without a clear answer",
    )
    last_error = serializers.CharField(source="notification.last_error", read_only=True)
    created_at = serializers.DateTimeField(source="notification.created_at", read_only=True)
    sent_at = serializers.DateTimeField(
        source="notification.sent_at", read_only=True, allow_null=True
    )
    tries = AttemptSerializer(source="notification.tries", many=True, read_only=True)

    class Meta:
        model = AlertNotification
        fields = (
            "id",
            "alert",
            "sender",
            "recipient",
            "reason",
            "state",
            "attempts",
            "next_try_at",
            "may_have_arrived",
            "last_error",
            "created_at",
            "sent_at",
            "tries",
        )
        read_only_fields = fields
