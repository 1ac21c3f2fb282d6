"""Tables of who and what. Every change goes through `assets.actions`."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models.functions import Now


class User(AbstractUser):
    """A person. Staff of the provider have a `staff_role`; customers have memberships."""

    class StaffRole(models.TextChoices):
        NONE = "", "customer"
        DISPATCHER = "dispatcher", "dispatcher"
        ADMIN = "admin", "admin"

    staff_role = models.CharField(
        max_length=16, choices=StaffRole.choices, default=StaffRole.NONE, blank=True
    )

    @property
    def is_provider(self) -> bool:
        """Whether this person works for the provider and so sees every organisation."""
        return self.is_superuser or self.staff_role != self.StaffRole.NONE

    @property
    def is_provider_admin(self) -> bool:
        return self.is_superuser or self.staff_role == self.StaffRole.ADMIN


class Tenanted(models.QuerySet[Any]):
    """Rows that belong to an organisation; `organisation_path` leads to its id."""

    organisation_path = "organisation_id"

    def visible_to(self, user: User | Any) -> Self:
        """Return the rows that `user` may see: all for the provider, else those of memberships."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_provider:
            return self.all()
        mine = Membership.objects.filter(user_id=user.pk).values("organisation_id")
        return self.filter(**{f"{self.organisation_path}__in": mine})

    def operable_by(self, user: User | Any) -> Self:
        """Return the rows that `user` may change: the provider's, else as owner or operator."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_provider:
            return self.all()
        mine = Membership.objects.filter(
            user_id=user.pk, role__in=(Membership.Role.OWNER, Membership.Role.OPERATOR)
        ).values("organisation_id")
        return self.filter(**{f"{self.organisation_path}__in": mine})

    def managed_by(self, user: User | Any) -> Self:
        """Return the rows whose people `user` may manage: as admin of the provider, or as owner."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_provider_admin:
            return self.all()
        mine = Membership.objects.filter(user_id=user.pk, role=Membership.Role.OWNER).values(
            "organisation_id"
        )
        return self.filter(**{f"{self.organisation_path}__in": mine})


class OrganisationQuerySet(Tenanted):
    organisation_path = "pk"


class AssignmentQuerySet(Tenanted):
    organisation_path = "device__organisation_id"


class Organisation(models.Model):
    """A customer: the tenant that owns assets and is billed."""

    name = models.CharField(max_length=200, unique=True)
    time_zone = models.CharField(max_length=64, default="UTC", help_text="IANA name")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = OrganisationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person in an organisation."""

    class Role(models.TextChoices):
        OWNER = "owner", "owner"
        OPERATOR = "operator", "operator"
        VIEWER = "viewer", "viewer"

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    objects = Tenanted.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation"], name="membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organisation} as {self.role}"


class ApiToken(models.Model):
    """A person's key to the REST API and the live socket. Only its keyed hash is stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Asset(models.Model):
    """The thing that matters: a van, a container, a cold room, a drill."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="assets")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=40, default="vehicle", blank=True)
    tags = ArrayField(models.CharField(max_length=64), default=list, blank=True)
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


class Device(models.Model):
    """The radio that reports. Its identifier is unique in its organisation only.

    Two organisations may name the same identifier; neither can capture the other's uplinks,
    because a source resolves devices in its own organisation.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="devices")
    identifier = models.CharField(max_length=100, help_text="lower-case hex or digits")
    name = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=100, blank=True)
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
    """Which device is on which asset, from when to when (half-open)."""

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
    """The promise that an asset's history is judged again, because an assignment changed.

    Written with the change itself. Who judges turns it into work of their own and deletes it.
    """

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="+")
    since = models.DateTimeField(help_text="no position before this changed hands")
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
    name = models.CharField(max_length=100)
    wire_format = models.CharField(max_length=32)
    device = models.ForeignKey(
        Device,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="sources",
        help_text="if set, this token speaks for this device only",
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
    """One row: the revision of everything that the registry holds.

    Raised under its row lock by each change of a source, device or assignment, so that
    revisions are committed in their order and a reader that saw one has seen all before it.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="registry_revision_one_row")
        ]

    def __str__(self) -> str:
        return str(self.revision)


class IdempotencyRecord(models.Model):
    """The answer to a POST that came with an `Idempotency-Key`, kept for a day.

    Written in the transaction of the action that it answers. `body` is null where the answer
    held a secret, which is shown once and stored nowhere.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, help_text="of method, path and body of the request")
    status = models.PositiveSmallIntegerField(null=True)
    content_type = models.CharField(max_length=100, default="")
    location = models.CharField(max_length=500, default="")
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.key} of user {self.user_id}"
