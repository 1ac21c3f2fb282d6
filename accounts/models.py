"""Tables of people. Every change goes through `accounts.actions`."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now

from core.name_fields import NameColumn


class User(AbstractUser):
    """A person. Staff of the provider have a `staff_role`; customers have memberships."""

    class StaffRole(models.TextChoices):
        NONE = "", "customer"
        DISPATCHER = "dispatcher", "dispatcher"
        ADMIN = "admin", "admin"

    first_name = NameColumn("first name", max_length=150, blank=True)
    last_name = NameColumn("last name", max_length=150, blank=True)
    staff_role = models.CharField(
        max_length=16, choices=StaffRole.choices, default=StaffRole.NONE, blank=True
    )

    @property
    def is_provider(self) -> bool:
        """True if this person works for the provider and so sees every organisation."""
        return self.is_superuser or self.staff_role != self.StaffRole.NONE

    @property
    def is_provider_admin(self) -> bool:
        return self.is_superuser or self.staff_role == self.StaffRole.ADMIN

    def operates_any(self) -> bool:
        """Return whether there is an organisation in which this person may change something."""
        return self.is_provider or Organisation.objects.operable_by(self).exists()

    def manages_any(self) -> bool:
        """Return whether there is an organisation whose people this person may manage."""
        return self.is_provider_admin or Organisation.objects.managed_by(self).exists()


class Tenanted(models.QuerySet[Any]):
    """Rows that belong to an organisation; `organisation_path` leads to its id."""

    organisation_path = "organisation_id"

    def visible_to(self, user: User | Any) -> Self:
        """Return the rows that `user` may see.

        All rows for people of the provider; otherwise the rows of the user's organisations.
        """
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_provider:
            return self.all()
        mine = Membership.objects.filter(user_id=user.pk).values("organisation_id")
        return self.filter(**{f"{self.organisation_path}__in": mine})

    def operable_by(self, user: User | Any) -> Self:
        """Return the rows that `user` may change.

        All rows for people of the provider; otherwise the rows of organisations in which the
        user is owner or operator.
        """
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_provider:
            return self.all()
        mine = Membership.objects.filter(
            user_id=user.pk, role__in=(Membership.Role.OWNER, Membership.Role.OPERATOR)
        ).values("organisation_id")
        return self.filter(**{f"{self.organisation_path}__in": mine})

    def managed_by(self, user: User | Any) -> Self:
        """Return the rows of organisations whose people `user` may manage.

        All rows for admins of the provider; otherwise of organisations that the user owns.
        """
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


class Organisation(models.Model):
    """A customer: the tenant that owns assets and is billed."""

    name = NameColumn(max_length=200, unique=True)
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
    """A person's token for the REST API and the live socket. Only its keyed hash is stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = NameColumn(max_length=100)
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class IdempotencyRecord(models.Model):
    """The answer to a POST with an `Idempotency-Key`, kept for a day.

    Written in the transaction of the action. `body` is null if the answer held a secret, which
    is shown once and never stored.
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


class AuditEntry(models.Model):
    """An entry of the audit trail. Append-only: the database refuses to change or delete a row.

    Refers to rows by name and number, so that it remains when they are deleted.
    """

    at = models.DateTimeField(db_default=Now(), editable=False)
    verb = models.CharField(max_length=64, help_text="the change, as `member.role-changed`")
    by = models.ForeignKey(
        User, models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    by_name = models.CharField(max_length=200, blank=True, help_text="as they were called then")
    organisation = models.ForeignKey(
        Organisation, models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    subject_kind = models.CharField(max_length=64, help_text="such as `accounts.membership`")
    subject_id = models.CharField(max_length=64)
    subject_name = models.CharField(max_length=200)
    details = models.JSONField(default=dict, help_text="no secrets")

    objects = Tenanted.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["organisation", "-id"], name="audit_newest")]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject_name}"
