import django.contrib.gis.db.models.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("assets", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Position",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "device_id",
                        "measured_at",
                        "message",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("measured_at", models.DateTimeField()),
                (
                    "message",
                    models.BigIntegerField(
                        help_text="a hash of the sender's id, or of the content"
                    ),
                ),
                (
                    "reported_at",
                    models.DateTimeField(help_text="when the message was made", null=True),
                ),
                ("received_at", models.DateTimeField(help_text="when its first copy arrived")),
                (
                    "point",
                    django.contrib.gis.db.models.fields.PointField(
                        null=True, spatial_index=False, srid=4326
                    ),
                ),
                ("altitude_m", models.FloatField(null=True)),
                ("accuracy_m", models.FloatField(null=True)),
                ("speed_mps", models.FloatField(null=True)),
                ("course_deg", models.FloatField(null=True)),
                ("method", models.CharField(max_length=16, null=True)),
                ("time_source", models.CharField(max_length=8)),
                ("readings", models.JSONField(default=dict)),
                (
                    "scans",
                    models.JSONField(help_text="Wi-Fi, Bluetooth and cells around it", null=True),
                ),
                ("is_clock_suspect", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "positions_position",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "asset_id",
                        "key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("key", models.BinaryField(help_text="of the last fact that the state holds")),
                ("judged", models.BinaryField()),
                (
                    "asset",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="assets.asset",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EventId",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "device_id",
                        "event_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("event_id", models.CharField(max_length=128)),
                ("measured_at", models.DateTimeField()),
                ("message", models.BigIntegerField()),
                (
                    "digest",
                    models.BinaryField(help_text="of the content, to tell a repeat from a reuse"),
                ),
                (
                    "device",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="assets.device",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AssetState",
            fields=[
                (
                    "asset",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="state",
                        serialize=False,
                        to="assets.asset",
                    ),
                ),
                ("measured_at", models.DateTimeField(null=True)),
                ("received_at", models.DateTimeField(null=True)),
                ("fix_at", models.DateTimeField(null=True)),
                ("newest_key", models.BinaryField(null=True)),
                ("fix_key", models.BinaryField(null=True)),
                ("lon_deg", models.FloatField(null=True)),
                ("lat_deg", models.FloatField(null=True)),
                ("altitude_m", models.FloatField(null=True)),
                ("accuracy_m", models.FloatField(null=True)),
                ("speed_mps", models.FloatField(null=True)),
                ("course_deg", models.FloatField(null=True)),
                ("method", models.CharField(max_length=16, null=True)),
                (
                    "motion",
                    models.CharField(
                        choices=[
                            ("unknown", "unknown"),
                            ("moving", "moving"),
                            ("resting", "resting"),
                        ],
                        db_default="unknown",
                        default="unknown",
                        max_length=8,
                    ),
                ),
                (
                    "motion_since",
                    models.DateTimeField(help_text="null where motion is unknown", null=True),
                ),
                (
                    "estimated_speed_mps",
                    models.FloatField(
                        help_text="between the last two fixes, where the device reports none",
                        null=True,
                    ),
                ),
                ("readings", models.JSONField(default=dict)),
                (
                    "judged",
                    models.BinaryField(default=b"", help_text="composite state of the folds"),
                ),
                ("asks_at", models.DateTimeField(null=True)),
                (
                    "device",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="assets.device",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("asks_at__isnull", False)),
                        fields=["asks_at"],
                        name="asset_asks",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordedOccurrence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("fold", models.CharField(max_length=32)),
                ("kind", models.CharField(max_length=32)),
                (
                    "subject",
                    models.BigIntegerField(
                        default=0, help_text="such as the id of a rule or geofence"
                    ),
                ),
                ("begin_at", models.DateTimeField()),
                ("end_at", models.DateTimeField(help_text="null while it lasts", null=True)),
                (
                    "begin_key",
                    models.BinaryField(help_text="of the fact that made its beginning sure"),
                ),
                ("end_key", models.BinaryField(null=True)),
                ("details", models.JSONField(default=dict)),
                (
                    "is_late",
                    models.BooleanField(
                        default=False, help_text="learned when later facts were known"
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "asset",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="assets.asset",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["asset", "fold", "-begin_key"], name="occurrence_of_asset"
                    ),
                    models.Index(fields=["organisation", "-id"], name="occurrence_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Rejudging",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=200)),
                ("since", models.DateTimeField(help_text="nothing before this changes")),
                (
                    "asset_ids",
                    models.JSONField(
                        default=list, help_text="all of the organisation's when empty"
                    ),
                ),
                (
                    "is_history_moved",
                    models.BooleanField(
                        default=False,
                        help_text="positions changed assets: also compute state and usage again",
                    ),
                ),
                (
                    "is_scope_changed",
                    models.BooleanField(
                        default=False,
                        help_text="tags of assets changed: rules judge all their occurrences again",
                    ),
                ),
                (
                    "after_asset_id",
                    models.BigIntegerField(default=0, help_text="done up to here, in id order"),
                ),
                ("current_asset_id", models.BigIntegerField(help_text="judged in part", null=True)),
                (
                    "settled_until",
                    models.DateTimeField(
                        help_text="how far the current asset is judged for good", null=True
                    ),
                ),
                ("assets_total", models.PositiveIntegerField(null=True)),
                ("assets_done", models.PositiveIntegerField(default=0)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at__isnull", True)),
                        fields=["id"],
                        name="rejudging_open",
                    )
                ],
            },
        ),
        # Django knows no partitions: the model above is unmanaged, the table is made here.
        migrations.RunSQL(
            sql=[
                """
                CREATE TABLE positions_position (
                    device_id bigint NOT NULL,
                    measured_at timestamptz NOT NULL,
                    message bigint NOT NULL,
                    reported_at timestamptz,
                    received_at timestamptz NOT NULL,
                    point geometry(Point, 4326),
                    altitude_m double precision,
                    accuracy_m double precision,
                    speed_mps double precision,
                    course_deg double precision,
                    method varchar(16),
                    time_source varchar(8) NOT NULL,
                    readings jsonb NOT NULL,
                    scans jsonb,
                    is_clock_suspect boolean NOT NULL,
                    PRIMARY KEY (device_id, measured_at, message)
                ) PARTITION BY RANGE (measured_at)
                """,
                "CREATE TABLE positions_position_default PARTITION OF positions_position DEFAULT",
                # Room on each page for new versions of rows that are updated all the time.
                "ALTER TABLE positions_assetstate SET (fillfactor = 50)",
            ],
            reverse_sql="DROP TABLE positions_position",
        ),
    ]
