"""Tables of the memory. Written by `positions.store` and `actions` only."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.db.models.functions import Now

from accounts.models import Organisation, Tenanted, User
from assets.models import Asset, Device


class Position(models.Model):
    """An observation stored for a device. Partitioned by range of `measured_at`.

    Repeats are recognised by the primary key: `message` distinguishes messages of the same
    moment (ADR 12).
    """

    pk = models.CompositePrimaryKey("device_id", "measured_at", "message")
    # No constraint in the database: it would lock the device's row for each insert.
    device = models.ForeignKey(Device, models.DO_NOTHING, db_constraint=False, db_index=False)
    measured_at = models.DateTimeField()
    message = models.BigIntegerField(help_text="a hash of the sender's id, or of the content")
    reported_at = models.DateTimeField(null=True, help_text="when the message was made")
    received_at = models.DateTimeField(help_text="when its first copy arrived")
    point = models.PointField(srid=4326, null=True, spatial_index=False)
    altitude_m = models.FloatField(null=True)
    accuracy_m = models.FloatField(null=True)
    speed_mps = models.FloatField(null=True)
    course_deg = models.FloatField(null=True)
    method = models.CharField(max_length=16, null=True)
    time_source = models.CharField(max_length=8)
    readings = models.JSONField(default=dict)
    scans = models.JSONField(null=True, help_text="Wi-Fi, Bluetooth and cells around it")
    is_clock_suspect = models.BooleanField(default=False)

    class Meta:
        # Created by hand in the first migration, since Django knows no partitions.
        managed = False
        db_table = "positions_position"

    def __str__(self) -> str:
        return f"{self.device_id} at {self.measured_at:%Y-%m-%d %H:%M:%S}"


class AssetState(models.Model):
    """The latest state of an asset, changed only by newer facts, and the states of its folds.

    The row is also the lock under which the asset is judged. `newest_key` and `fix_key` are the
    keys of the newest fact and of the fact with the newest fix. `readings` maps a name to [value,
    µs since 1970 at which it was measured, µs from then until it was reported]. `asks_at` is the
    next instant at which a fold must be called without a further fact.
    """

    class Motion(models.TextChoices):
        UNKNOWN = "unknown", "unknown"
        MOVING = "moving", "moving"
        RESTING = "resting", "resting"

    asset = models.OneToOneField(Asset, models.CASCADE, primary_key=True, related_name="state")
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, db_constraint=False, related_name="+"
    )
    device = models.ForeignKey(
        Device, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    measured_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)
    fix_at = models.DateTimeField(null=True)
    newest_key = models.BinaryField(null=True)
    fix_key = models.BinaryField(null=True)
    lon_deg = models.FloatField(null=True)
    lat_deg = models.FloatField(null=True)
    altitude_m = models.FloatField(null=True)
    accuracy_m = models.FloatField(null=True)
    speed_mps = models.FloatField(null=True)
    course_deg = models.FloatField(null=True)
    method = models.CharField(max_length=16, null=True)
    motion = models.CharField(
        max_length=8, choices=Motion.choices, default=Motion.UNKNOWN, db_default=Motion.UNKNOWN
    )
    motion_since = models.DateTimeField(null=True, help_text="null where motion is unknown")
    estimated_speed_mps = models.FloatField(
        null=True, help_text="between the last two fixes, where the device reports none"
    )
    readings = models.JSONField(default=dict)
    judged = models.BinaryField(default=b"", help_text="composite state of the folds")
    asks_at = models.DateTimeField(null=True)

    objects = Tenanted.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["asks_at"], name="asset_asks", condition=models.Q(asks_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"state of asset {self.asset_id}"


class Checkpoint(models.Model):
    """A state of the folds in the past, from which late facts are judged."""

    pk = models.CompositePrimaryKey("asset_id", "key")
    asset = models.ForeignKey(Asset, models.CASCADE, db_constraint=False, db_index=False)
    key = models.BinaryField(help_text="of the last fact that the state holds")
    judged = models.BinaryField()

    def __str__(self) -> str:
        return f"checkpoint of asset {self.asset_id}"


class RecordedOccurrence(models.Model):
    """An occurrence that lasts, as it now stands: found by a fold, ended or still open.

    Crossings, which do not last, have their own table.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE, db_constraint=False)
    asset = models.ForeignKey(Asset, models.CASCADE, db_constraint=False, db_index=False)
    fold = models.CharField(max_length=32)
    kind = models.CharField(max_length=32)
    subject = models.BigIntegerField(default=0, help_text="such as the id of a rule or geofence")
    begin_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True, help_text="null while it lasts")
    begin_key = models.BinaryField(help_text="of the fact that made its beginning sure")
    end_key = models.BinaryField(null=True)
    details = models.JSONField(default=dict)
    is_late = models.BooleanField(default=False, help_text="learned when later facts were known")
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    withdrawn_at = models.DateTimeField(null=True)

    objects = Tenanted.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["asset", "fold", "-begin_key"], name="occurrence_of_asset"),
            models.Index(fields=["organisation", "-id"], name="occurrence_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id} {self.kind} since {self.begin_at}"


class EventId(models.Model):
    """The sender's own id of an observation, by which a repeat is recognised."""

    pk = models.CompositePrimaryKey("device_id", "event_id")
    device = models.ForeignKey(Device, models.CASCADE, db_constraint=False, db_index=False)
    event_id = models.CharField(max_length=128)
    measured_at = models.DateTimeField()
    message = models.BigIntegerField()
    digest = models.BinaryField(help_text="of the content, to tell a repeat from a reuse")

    def __str__(self) -> str:
        return self.event_id


class Rejudging(models.Model):
    """Work to do after a changed fact: the assets that must be judged again. Resumable."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=200)
    since = models.DateTimeField(help_text="nothing before this changes")
    asset_ids = models.JSONField(default=list, help_text="all of the organisation's when empty")
    is_history_moved = models.BooleanField(
        default=False,
        help_text="positions changed assets: also compute state and usage again",
    )
    is_scope_changed = models.BooleanField(
        default=False,
        help_text="tags of assets changed: rules judge all their occurrences again",
    )
    after_asset_id = models.BigIntegerField(default=0, help_text="done up to here, in id order")
    current_asset_id = models.BigIntegerField(null=True, help_text="judged in part")
    settled_until = models.DateTimeField(
        null=True, help_text="how far the current asset is judged for good"
    )
    assets_total = models.PositiveIntegerField(null=True)
    assets_done = models.PositiveIntegerField(default=0)
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = Tenanted.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], name="rejudging_open", condition=models.Q(finished_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.reason}: {self.assets_done} of {self.assets_total}"
