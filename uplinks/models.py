"""Tables of uplinks set aside, misuses and books.

Written by `uplinks.books` and `uplinks.actions` only.
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models import Organisation, Tenanted
from assets.models import Source


class SetAside(models.Model):
    """An uplink that could not be used yet, with its raw body, reason, and time of replay."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    received_at = models.DateTimeField()
    reason = models.CharField(max_length=64, help_text="a code, see docs/problems.md")
    detail = models.TextField(blank=True)
    device_identifier = models.CharField(max_length=128, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    query = models.TextField(blank=True)
    basic_user = models.CharField(max_length=128, blank=True, default="")
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    # The same bytes for the same reason are one row however often they arrive.
    digest = models.BinaryField()
    observations = models.PositiveIntegerField(default=0)
    replayed_at = models.DateTimeField(null=True)

    objects = Tenanted.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "digest"], name="set_aside_once")]
        indexes = [models.Index(fields=["organisation", "-id"], name="set_aside_newest")]

    def __str__(self) -> str:
        return f"{self.reason} at {self.received_at}"


class Misuse(models.Model):
    """Reports under a device's token that named another device: which, since when, how often.

    A row for each named device, up to a limit; devices beyond it share a row without a name, so
    that a sender cannot fill the table.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    device_identifier = models.CharField(
        max_length=128, blank=True, help_text="as named by the sender; empty beyond the limit"
    )
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.BigIntegerField()

    objects = Tenanted.as_manager()

    class Meta:
        verbose_name_plural = "misuses"
        constraints = [
            models.UniqueConstraint(fields=["source", "device_identifier"], name="misuse_once")
        ]

    def __str__(self) -> str:
        return f"source {self.source_id} for {self.device_identifier or 'others'}"


class SourceCount(models.Model):
    """The books of a source and day: received = stored + duplicate + set aside + refused.

    The day, in UTC, is that of the receipt. Kept in several rows, so that processes do not wait
    for each other; only their sum counts.
    """

    pk = models.CompositePrimaryKey("source_id", "day", "shard")
    source = models.ForeignKey(Source, models.CASCADE, db_constraint=False, db_index=False)
    day = models.DateField(db_default=Now())
    shard = models.SmallIntegerField()
    received = models.BigIntegerField(db_default=0)
    stored = models.BigIntegerField(db_default=0)
    duplicate = models.BigIntegerField(db_default=0)
    set_aside = models.BigIntegerField(db_default=0)
    refused = models.BigIntegerField(db_default=0)
    last_received_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"counts of source {self.source_id}"
