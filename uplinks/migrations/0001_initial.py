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
            name="SourceCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "source_id",
                        "day",
                        "shard",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField(db_default=django.db.models.functions.datetime.Now())),
                ("shard", models.SmallIntegerField()),
                ("received", models.BigIntegerField(db_default=0)),
                ("stored", models.BigIntegerField(db_default=0)),
                ("duplicate", models.BigIntegerField(db_default=0)),
                ("set_aside", models.BigIntegerField(db_default=0)),
                ("refused", models.BigIntegerField(db_default=0)),
                (
                    "last_received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="assets.source",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Misuse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "device_identifier",
                    models.CharField(
                        blank=True,
                        help_text="as named by the sender; empty beyond the limit",
                        max_length=128,
                    ),
                ),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("times", models.BigIntegerField()),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="assets.source",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "misuses",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "device_identifier"), name="misuse_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SetAside",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("received_at", models.DateTimeField()),
                (
                    "reason",
                    models.CharField(help_text="a code, see docs/problems.md", max_length=64),
                ),
                ("detail", models.TextField(blank=True)),
                ("device_identifier", models.CharField(blank=True, max_length=128)),
                ("content_type", models.CharField(blank=True, max_length=100)),
                ("query", models.TextField(blank=True)),
                ("basic_user", models.CharField(blank=True, default="", max_length=128)),
                ("headers", models.JSONField(default=dict)),
                ("body", models.BinaryField()),
                ("digest", models.BinaryField()),
                ("observations", models.PositiveIntegerField(default=0)),
                ("replayed_at", models.DateTimeField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="assets.source",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organisation", "-id"], name="set_aside_newest")],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "digest"), name="set_aside_once")
                ],
            },
        ),
        # Room on each page for new versions of rows that are updated all the time.
        migrations.RunSQL(
            "ALTER TABLE uplinks_sourcecount SET (fillfactor = 10)", migrations.RunSQL.noop
        ),
    ]
