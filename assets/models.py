"""Tables of assets, devices, assignments and sources. Only `assets.actions` changes them."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models.functions import Now

from accounts.models import Organisation, Tenanted, User
from core.name_fields import NameColumn


class AssignmentQuerySet(Tenanted):
    organisation_path = "device__organisation_id"


class Asset(models.Model):
    """The thing that matters: a van, a container, a cold room, a drill."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="assets")
    name = NameColumn(max_length=200)
    kind = NameColumn(max_length=40, default="vehicle", blank=True)
    # The present tags; their history is in `TagPeriod`.
    tags = ArrayField(NameColumn(max_length=64), default=list, blank=True)
    expected_interval_s = models.PositiveIntegerField(
        default=300, help_text="how often it reports when all is well; staleness is judged by it"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = Tenanted.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="asset_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class TagPeriod(models.Model):
    """The tags of an asset during a half-open period. A fact.

    A fact is judged by the tags of its time, even if it arrives late.
    """

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="tag_periods")
    tags = ArrayField(models.CharField(max_length=64), default=list)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    recorded_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="tag_period_once",
                expressions=[
                    ("asset", RangeOperators.EQUAL),
                    (
                        models.Func("valid_from", "valid_to", function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            )
        ]

    def __str__(self) -> str:
        return f"tags of asset {self.asset_id} since {self.valid_from}"


class Device(models.Model):
    """The radio that reports. Its identifier is unique in its organisation only.

    Two organisations may name the same identifier; neither can capture the other's uplinks,
    because a source resolves devices in its own organisation.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="devices")
    identifier = models.CharField(max_length=100, help_text="lower-case hex or digits")
    name = NameColumn(max_length=200, blank=True)
    model = NameColumn(max_length=100, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    revision = models.BigIntegerField(default=0, editable=False)

    objects = Tenanted.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "identifier"], name="device_identifier_once"
            )
        ]
        indexes = [models.Index(fields=["revision"], name="device_revision")]

    def __str__(self) -> str:
        return self.name or self.identifier


class Assignment(models.Model):
    """A device on an asset during a half-open period."""

    device = models.ForeignKey(Device, models.PROTECT, related_name="assignments")
    asset = models.ForeignKey(Asset, models.PROTECT, related_name="assignments")
    during = DateTimeRangeField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            # A device is on one asset at a time. An asset may carry several devices.
            ExclusionConstraint(
                name="assignment_device_once",
                expressions=[("device", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            )
        ]

    def __str__(self) -> str:
        return f"{self.device} on {self.asset}"


class MovedHistory(models.Model):
    """The promise to judge an asset's history again, because an assignment or its tags changed.

    Written with the change itself. A periodic task turns it into a `Rejudging` and deletes it.
    """

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="+")
    since = models.DateTimeField(help_text="nothing before this changed")
    is_scope_changed = models.BooleanField(
        default=False, help_text="only the tags, which link it to geofences and rules"
    )
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    recorded_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"history of asset {self.asset_id} since {self.since}"


class Source(models.Model):
    """A sender that we trust, with its wire format and the keyed hash of its token."""

    class UnknownDevices(models.TextChoices):
        SET_ASIDE = "set-aside", "set aside, to be taken up once registered"
        REGISTER = "register", "register a device and an asset for it"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="sources")
    name = NameColumn(max_length=100)
    wire_format = models.CharField(max_length=32)
    device = models.ForeignKey(
        Device,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="sources",
        help_text="if set, this token may report for this device only",
    )
    unknown_devices = models.CharField(
        max_length=16, choices=UnknownDevices.choices, default=UnknownDevices.SET_ASIDE
    )
    prefix = models.CharField(max_length=8, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    previous_digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    previous_valid_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = Tenanted.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="source_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class RegistryRevision(models.Model):
    """The revision of the registry, in a single row.

    Raised under its row lock by each change of a source, device or assignment, so that revisions
    are committed in order: a reader of a revision has seen all changes up to it.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="registry_revision_one_row")
        ]

    def __str__(self) -> str:
        return str(self.revision)
