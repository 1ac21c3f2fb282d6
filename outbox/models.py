"""Tables of notifications and attempts. Written by `actions` and `leases` only."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q


class Notification(models.Model):
    """The promise to send a person a message, kept by as many attempts as it takes.

    Each attempt sends the same id, so that a receiver can recognise a repeated message.
    """

    class State(models.TextChoices):
        PENDING = "pending", "pending"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        FAILED = "failed", "refused for good"
        GIVEN_UP = "given_up", "given up"
        CANCELLED = "cancelled", "cancelled, since its text is obsolete"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(max_length=16, help_text="the kind of address")
    address = models.CharField(max_length=320)
    kind = models.CharField(max_length=32, help_text="names the renderer: see OUTBOX_RENDERERS")
    reference = models.JSONField(help_text="the subject of the text; its form depends on the kind")
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    may_have_arrived = models.BooleanField(
        default=False, help_text="an attempt ended without a clear answer"
    )
    last_error = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(lease_until__isnull=False),
                name="notification_sending_has_lease",
            ),
        ]
        indexes = [
            models.Index(
                F("attempts"),
                F("next_try_at"),
                name="notification_due",
                condition=Q(state="pending"),
            ),
            models.Index(
                fields=["lease_until"], name="notification_leased", condition=Q(state="sending")
            ),
            models.Index(fields=["-created_at", "-id"], name="notification_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.id}: {self.kind} to {self.address}, {self.state}"


class NotificationAttempt(models.Model):
    """An attempt to send a notification. Append-only but for its outcome."""

    class Outcome(models.TextChoices):
        STARTED = "started", "no outcome: the worker died, or is sending"
        SENT = "sent", "accepted"
        TEMPORARY = "temporary", "failed for now"
        UNCLEAR = "unclear", "ended without an answer"
        PERMANENT = "permanent", "refused for good"

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.STARTED)
    detail = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notification", "number"], name="attempt_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.notification_id}, attempt {self.number}: {self.outcome}"
