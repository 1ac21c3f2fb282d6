"""Tables of rules, recipients and alerts. Written by `actions` and `rule_judging` only."""

from __future__ import annotations

from typing import Final, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Lower, Now

from accounts.models import Organisation, Tenanted, User
from assets.models import Asset
from core.name_fields import NameColumn
from geofence.models import Crossing, Geofence
from outbox.messages import EMAIL
from outbox.models import Notification

# The kind of notifications about alerts in the outbox, as in the setting OUTBOX_RENDERERS.
ALERT_KIND: Final = "alert"


class Severity(models.TextChoices):
    INFO = "info", "info"
    WARNING = "warning", "warning"
    CRITICAL = "critical", "critical"


class Rule(models.Model):
    """The name of a rule. Its settings are in its versions."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="rules")
    name = NameColumn(max_length=200)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)

    objects = Tenanted.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"],
                condition=Q(retired_at__isnull=True),
                name="rule_name_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Recipient(models.Model):
    """A person whom rules may notify, by an address of one channel of the outbox."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="recipients")
    channel = models.CharField(max_length=16, default=EMAIL)
    address = models.CharField(max_length=320)
    name = NameColumn(max_length=200, blank=True, default="")
    is_active = models.BooleanField(default=True, help_text="inactive recipients are not notified")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = Tenanted.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organisation", "channel", Lower("address"), name="recipient_once"
            )
        ]

    def __str__(self) -> str:
        return self.name or self.address


class _Addresses(Func):
    """The addresses of recipients, in the order of their ids in an array."""

    template = (
        "ARRAY(SELECT address FROM unnest(%(expressions)s) WITH ORDINALITY AS named(id, place)"
        " JOIN alerts_recipient USING (id) ORDER BY place)"
    )
    output_field = ArrayField(models.TextField())


class RuleVersionQuerySet(Tenanted):
    organisation_path = "rule__organisation_id"

    def with_addresses(self) -> Self:
        """Add `addresses`: the addresses of the recipients, in their order."""
        return self.annotate(addresses=_Addresses("recipient_ids"))


class RuleVersion(models.Model):
    """The condition and the recipients of a rule from `valid_from` until `valid_to`. A fact.

    Never edited: a change ends this version and begins the next, so that a late crossing is
    judged by the version in force when the asset crossed.
    """

    class Trigger(models.TextChoices):
        ENTER = "enter", "enters"
        EXIT = "exit", "leaves"
        ENTER_OR_EXIT = "enter_or_exit", "enters or leaves"
        PASS = "pass", "passes through"

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    geofence = models.ForeignKey(Geofence, models.RESTRICT, null=True, related_name="rule_versions")
    severity = models.CharField(max_length=16, choices=Severity.choices, default=Severity.WARNING)
    asset_ids = ArrayField(
        models.BigIntegerField(), default=list, help_text="with tags: empty for all"
    )
    tags = ArrayField(
        models.CharField(max_length=64), default=list, help_text="with asset_ids: empty for all"
    )
    recipient_ids = ArrayField(models.BigIntegerField(), default=list)
    is_active = models.BooleanField(default=True)
    quiet_from = models.TimeField(null=True, help_text="from then on occurrences raise no alert")
    quiet_until = models.TimeField(null=True, help_text="on the next day, if not later")
    time_zone = models.CharField(max_length=64, help_text="of the quiet hours; an IANA name")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = RuleVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "version"], name="rule_version_number_once"),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False)
                & ~Q(quiet_from=models.F("quiet_until")),
                name="rule_version_quiet_hours_whole",
            ),
            ExclusionConstraint(
                name="rule_version_once",
                expressions=[
                    ("rule", RangeOperators.EQUAL),
                    (Func("valid_from", "valid_to", function="tstzrange"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule}, version {self.version}"


class Alert(models.Model):
    """The present state of an alert: an occurrence that met a rule.

    `evidence_kind` and `evidence_id` name the row of the occurrence. `crossing` and `geofence`
    refer to it besides, where it is a crossing or belongs to a geofence.
    """

    class EvidenceKind(models.TextChoices):
        CROSSING = "crossing", "crossing"
        OCCURRENCE = "occurrence", "occurrence"

    class State(models.TextChoices):
        OPEN = "open", "open"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        RESOLVED = "resolved", "resolved"
        WITHDRAWN = "withdrawn", "withdrawn by a correction"

    organisation = models.ForeignKey(Organisation, models.CASCADE, db_constraint=False)
    rule = models.ForeignKey(Rule, models.CASCADE, related_name="alerts")
    rule_version = models.ForeignKey(RuleVersion, models.CASCADE, related_name="+", db_index=False)
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="alerts")
    geofence = models.ForeignKey(Geofence, models.CASCADE, null=True, related_name="alerts")
    crossing = models.ForeignKey(Crossing, models.CASCADE, null=True, related_name="alerts")
    evidence_kind = models.CharField(max_length=16, choices=EvidenceKind.choices)
    evidence_id = models.BigIntegerField()
    kind = models.CharField(max_length=32, help_text="of the occurrence, such as `enter`")
    at = models.DateTimeField(help_text="when it began: of a crossing, when the asset crossed")
    end_at = models.DateTimeField(
        null=True, help_text="null while it lasts; `at` where it is momentary"
    )
    peak = models.FloatField(null=True, help_text="the most extreme value while it lasted")
    margin = models.FloatField(null=True, help_text="by how much it was sure")
    opened_at = models.DateTimeField(help_text="when this server found it")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    number = models.BigIntegerField(help_text="of the latest change")
    is_late = models.BooleanField(default=False, help_text="found when later facts were known")
    has_no_recipient = models.BooleanField(
        default=False, help_text="the rule named no active recipient"
    )
    amended_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    objects = Tenanted.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "evidence_kind", "evidence_id"], name="alert_once"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-id"], name="alert_newest"),
            models.Index(fields=["organisation", "number"], name="alert_by_change"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.asset_id} {self.kind} {self.geofence_id} at {self.at}"


class AlertStream(models.Model):
    """The number of the newest change of any alert, in a single row.

    The row stays locked from the increment until the commit. So changes are committed in the
    order of their numbers, and a reader of one number has seen all lower numbers. The row is
    shared by all organisations: staff of the provider and members of several organisations
    follow all of them by a single number.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="alert_stream_one_row")]

    def __str__(self) -> str:
        return str(self.number)


class AlertChange(models.Model):
    """A numbered change of an alert, for viewers who follow the stream. Append-only."""

    class Change(models.TextChoices):
        RAISED = "raised", "raised"
        AMENDED = "amended", "amended by a correction"
        WITHDRAWN = "withdrawn", "withdrawn by a correction"
        REINSTATED = "reinstated", "reinstated by a correction"
        RESOLVED = "resolved", "resolved, since it ended"
        REOPENED = "reopened", "reopened, since it had not ended"
        ACKNOWLEDGED = "acknowledged", "acknowledged"

    number = models.BigIntegerField(primary_key=True)
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, db_constraint=False, db_index=False
    )
    alert = models.ForeignKey(Alert, models.CASCADE, related_name="changes")
    change = models.CharField(max_length=16, choices=Change.choices)
    previous_at = models.DateTimeField(
        null=True, help_text="time of the alert before it was amended"
    )
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)
    recorded_at = models.DateTimeField()

    objects = Tenanted.as_manager()

    class Meta:
        indexes = [models.Index(fields=["organisation", "number"], name="alert_change_stream")]

    def __str__(self) -> str:
        return f"{self.number}: alert {self.alert_id} {self.change}"


class AlertNotificationQuerySet(Tenanted):
    organisation_path = "alert__organisation_id"


class AlertNotification(models.Model):
    """The link of a notification to its alert, the change, and the recipient, with the reason."""

    class Reason(models.TextChoices):
        RAISED = "raised", "raised"
        AMENDED = "amended", "amended"
        WITHDRAWN = "withdrawn", "withdrawn"

    notification = models.OneToOneField(
        Notification, models.CASCADE, primary_key=True, related_name="+"
    )
    alert = models.ForeignKey(Alert, models.CASCADE, related_name="notifications")
    change = models.ForeignKey(
        AlertChange, models.CASCADE, related_name="notifications", db_index=False
    )
    recipient = models.ForeignKey(
        Recipient, models.CASCADE, related_name="notifications", db_index=False
    )
    reason = models.CharField(max_length=16, choices=Reason.choices)

    objects = AlertNotificationQuerySet.as_manager()

    class Meta:
        verbose_name = "notification"
        constraints = [
            models.UniqueConstraint(fields=["change", "recipient"], name="alert_notification_once")
        ]

    def __str__(self) -> str:
        return f"{self.notification_id}: alert {self.alert_id} {self.reason}"
