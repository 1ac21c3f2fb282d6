"""Tables of geofences, crossings and presence.

Written by `actions` and `crossing_ledger` only.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.gis.db import models
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db.models import F, Func, Q
from django.db.models.functions import Now

from accounts.models import Organisation, Tenanted
from assets.models import Asset
from core.name_fields import NameColumn


class Revision(models.Model):
    """The revision of an organisation's geofences; raised under its row lock by each change."""

    organisation = models.OneToOneField(
        Organisation, models.CASCADE, primary_key=True, related_name="+"
    )
    revision = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.revision)


class Geofence(models.Model):
    """A place with a name. Its shape and its judging options are in its versions."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="geofences")
    name = NameColumn(max_length=200)
    colour = models.CharField(max_length=7, default="#005a9c")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = Tenanted.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"],
                condition=Q(deleted_at__isnull=True),
                name="geofence_name_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class GeofenceVersionQuerySet(Tenanted):
    organisation_path = "geofence__organisation_id"


class GeofenceVersion(models.Model):
    """The shape and the judging of a geofence from `valid_from` until `valid_to`."""

    geofence = models.ForeignKey(Geofence, models.CASCADE, related_name="versions")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    shape = models.JSONField(help_text="as drawn: polygon, multipolygon, circle or corridor")
    area = models.MultiPolygonField(
        srid=4326, help_text="the judged area, edges straight in lon/lat"
    )
    inradius_m = models.FloatField(help_text="radius of the largest circle inside the area")
    accuracy_cap_m = models.FloatField(
        null=True, help_text="accuracy counts up to this; by default half the inradius"
    )
    max_accuracy_m = models.FloatField(
        null=True, help_text="coarser fixes never decide; by default by the size of the area"
    )
    persist_fixes = models.PositiveIntegerField(default=1)
    persist_s = models.FloatField(default=0)
    judges_pass_through = models.BooleanField(default=False)
    max_gap_s = models.FloatField(default=300)
    floor_m = models.FloatField(null=True, help_text="altitude band, where the fix knows its own")
    ceiling_m = models.FloatField(null=True)
    asset_ids = ArrayField(models.BigIntegerField(), default=list, help_text="empty for all")
    tags = ArrayField(models.CharField(max_length=64), default=list, help_text="empty for all")
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    revision = models.BigIntegerField(default=0, help_text="of the organisation at the last change")

    objects = GeofenceVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="geofence_version_once",
                expressions=[
                    ("geofence", RangeOperators.EQUAL),
                    (
                        Func("valid_from", "valid_to", function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            )
        ]
        indexes = [models.Index(fields=["geofence", "revision"], name="geofence_version_revision")]

    def __str__(self) -> str:
        return f"{self.geofence} from {self.valid_from}"


def not_ended(now: datetime) -> Q:
    """Return the condition of versions that hold now or later; replaced versions do not."""
    return Q(valid_to__isnull=True) | (Q(valid_to__gt=now) & Q(valid_to__gt=F("valid_from")))


class Crossing(models.Model):
    """A crossing as known today: the asset entered or left a geofence, or passed through it.

    `found` and `lost` are no crossings: there our knowledge begins or ends, since the first sure
    fix was inside already, or a new version of the geofence left the asset outside. They complete
    visits and past stock, and notify no one.
    """

    class Kind(models.TextChoices):
        ENTER = "enter", "entered"
        EXIT = "exit", "left"
        PASS = "pass", "passed through"
        FOUND = "found", "found inside"
        LOST = "lost", "no longer inside"

    organisation = models.ForeignKey(Organisation, models.CASCADE, db_constraint=False)
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="crossings", db_index=False)
    geofence = models.ForeignKey(Geofence, models.CASCADE, related_name="crossings")
    version = models.ForeignKey(GeofenceVersion, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    at = models.DateTimeField(help_text="first sure fix on the new side")
    not_before = models.DateTimeField(null=True, help_text="last sure fix on the old side")
    not_after = models.DateTimeField()
    estimate = models.DateTimeField(null=True, help_text="from the straight segment")
    left_estimate = models.DateTimeField(null=True, help_text="of leaving, for passing through")
    confirmed_at = models.DateTimeField(help_text="the fix that made it sure")
    confirmed_key = models.BinaryField(help_text="where that fact stands among the asset's")
    device_id = models.BigIntegerField(help_text="device of that fix")
    is_inferred = models.BooleanField(default=False)
    is_late = models.BooleanField(default=False, help_text="learned when later facts were known")
    lon_deg = models.FloatField()
    lat_deg = models.FloatField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    withdrawn_at = models.DateTimeField(null=True)

    objects = Tenanted.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["asset", "-confirmed_at"], name="crossing_of_asset"),
            models.Index(fields=["geofence", "-at"], name="crossing_of_geofence"),
            models.Index(fields=["organisation", "-id"], name="crossing_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id} {self.kind} {self.geofence_id} at {self.at}"


class Correction(models.Model):
    """The recorded difference that a late or changed fact made to a crossing. Append-only."""

    class Change(models.TextChoices):
        ADDED = "added"
        MOVED = "moved"
        WITHDRAWN = "withdrawn"

    organisation = models.ForeignKey(Organisation, models.CASCADE, db_constraint=False)
    crossing = models.ForeignKey(Crossing, models.CASCADE, related_name="corrections")
    change = models.CharField(max_length=10, choices=Change.choices)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    cause = models.JSONField(help_text="the late observation, or the fact that people changed")
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = Tenanted.as_manager()

    def __str__(self) -> str:
        return f"{self.change}: crossing {self.crossing_id}"


class Presence(models.Model):
    """The asset is inside this geofence now."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, db_constraint=False)
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="presence")
    geofence = models.ForeignKey(Geofence, models.CASCADE, related_name="presence")
    since = models.DateTimeField(help_text="first sure fix inside")
    not_before = models.DateTimeField(null=True, help_text="last sure fix outside, if any")

    objects = Tenanted.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["geofence", "asset"], name="presence_once")]

    def __str__(self) -> str:
        return f"{self.asset_id} in {self.geofence_id} since {self.since}"
