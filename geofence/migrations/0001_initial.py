import django.contrib.gis.db.models.fields
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("assets", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Revision",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.organisation",
                    ),
                ),
                ("revision", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Crossing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("enter", "entered"),
                            ("exit", "left"),
                            ("pass", "passed through"),
                            ("found", "found inside"),
                            ("lost", "no longer inside"),
                        ],
                        max_length=8,
                    ),
                ),
                ("at", models.DateTimeField(help_text="first sure fix on the new side")),
                (
                    "not_before",
                    models.DateTimeField(help_text="last sure fix on the old side", null=True),
                ),
                ("not_after", models.DateTimeField()),
                (
                    "estimate",
                    models.DateTimeField(help_text="from the straight segment", null=True),
                ),
                (
                    "left_estimate",
                    models.DateTimeField(help_text="of leaving, for passing through", null=True),
                ),
                ("confirmed_at", models.DateTimeField(help_text="the fix that made it sure")),
                (
                    "confirmed_key",
                    models.BinaryField(help_text="where that fact stands among the asset's"),
                ),
                ("device_id", models.BigIntegerField(help_text="device of that fix")),
                ("is_inferred", models.BooleanField(default=False)),
                (
                    "is_late",
                    models.BooleanField(
                        default=False, help_text="learned when later facts were known"
                    ),
                ),
                ("lon_deg", models.FloatField()),
                ("lat_deg", models.FloatField()),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="crossings",
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
        ),
        migrations.CreateModel(
            name="Correction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "change",
                    models.CharField(
                        choices=[
                            ("added", "Added"),
                            ("moved", "Moved"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=10,
                    ),
                ),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                (
                    "cause",
                    models.JSONField(
                        help_text="the late observation, or the fact that people changed"
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
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
                (
                    "crossing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="corrections",
                        to="geofence.crossing",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Geofence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("colour", models.CharField(default="#005a9c", max_length=7)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="geofences",
                        to="accounts.organisation",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="crossing",
            name="geofence",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="crossings",
                to="geofence.geofence",
            ),
        ),
        migrations.CreateModel(
            name="GeofenceVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("valid_from", models.DateTimeField()),
                ("valid_to", models.DateTimeField(null=True)),
                (
                    "shape",
                    models.JSONField(
                        help_text="as drawn: polygon, multipolygon, circle or corridor"
                    ),
                ),
                (
                    "area",
                    django.contrib.gis.db.models.fields.MultiPolygonField(
                        help_text="the judged area, edges straight in lon/lat", srid=4326
                    ),
                ),
                (
                    "inradius_m",
                    models.FloatField(help_text="radius of the largest circle inside the area"),
                ),
                (
                    "accuracy_cap_m",
                    models.FloatField(
                        help_text="accuracy counts up to this; by default half the inradius",
                        null=True,
                    ),
                ),
                (
                    "max_accuracy_m",
                    models.FloatField(
                        help_text="coarser fixes never decide; by default by the size of the area",
                        null=True,
                    ),
                ),
                ("persist_fixes", models.PositiveIntegerField(default=1)),
                ("persist_s", models.FloatField(default=0)),
                ("judges_pass_through", models.BooleanField(default=False)),
                ("max_gap_s", models.FloatField(default=300)),
                (
                    "floor_m",
                    models.FloatField(
                        help_text="altitude band, where the fix knows its own", null=True
                    ),
                ),
                ("ceiling_m", models.FloatField(null=True)),
                (
                    "asset_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="empty for all",
                        size=None,
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        default=list,
                        help_text="empty for all",
                        size=None,
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "revision",
                    models.BigIntegerField(
                        default=0, help_text="of the organisation at the last change"
                    ),
                ),
                (
                    "geofence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="geofence.geofence",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="crossing",
            name="version",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="geofence.geofenceversion",
            ),
        ),
        migrations.CreateModel(
            name="Presence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("since", models.DateTimeField(help_text="first sure fix inside")),
                (
                    "not_before",
                    models.DateTimeField(help_text="last sure fix outside, if any", null=True),
                ),
                (
                    "asset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="presence",
                        to="assets.asset",
                    ),
                ),
                (
                    "geofence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="presence",
                        to="geofence.geofence",
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
        ),
        migrations.AddConstraint(
            model_name="geofence",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=("organisation", "name"),
                name="geofence_name_once",
            ),
        ),
        migrations.AddIndex(
            model_name="geofenceversion",
            index=models.Index(fields=["geofence", "revision"], name="geofence_version_revision"),
        ),
        migrations.AddConstraint(
            model_name="geofenceversion",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("geofence", "="),
                    (models.Func("valid_from", "valid_to", function="tstzrange"), "&&"),
                ],
                name="geofence_version_once",
            ),
        ),
        migrations.AddIndex(
            model_name="crossing",
            index=models.Index(fields=["asset", "-confirmed_at"], name="crossing_of_asset"),
        ),
        migrations.AddIndex(
            model_name="crossing",
            index=models.Index(fields=["geofence", "-at"], name="crossing_of_geofence"),
        ),
        migrations.AddIndex(
            model_name="crossing",
            index=models.Index(fields=["organisation", "-id"], name="crossing_newest"),
        ),
        migrations.AddConstraint(
            model_name="presence",
            constraint=models.UniqueConstraint(fields=("geofence", "asset"), name="presence_once"),
        ),
    ]
