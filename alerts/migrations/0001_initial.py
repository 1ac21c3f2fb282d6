import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("assets", "0001_initial"),
        ("geofence", "0001_initial"),
        ("outbox", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "evidence_kind",
                    models.CharField(
                        choices=[("crossing", "crossing"), ("occurrence", "occurrence")],
                        max_length=16,
                    ),
                ),
                ("evidence_id", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(help_text="of the occurrence, such as `enter`", max_length=32),
                ),
                (
                    "at",
                    models.DateTimeField(
                        help_text="when it began: of a crossing, when the asset crossed"
                    ),
                ),
                (
                    "end_at",
                    models.DateTimeField(
                        help_text="null while it lasts; `at` where it is momentary", null=True
                    ),
                ),
                (
                    "peak",
                    models.FloatField(
                        help_text="the most extreme value while it lasted", null=True
                    ),
                ),
                ("margin", models.FloatField(help_text="by how much it was sure", null=True)),
                ("opened_at", models.DateTimeField(help_text="when this server found it")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("acknowledged", "acknowledged"),
                            ("resolved", "resolved"),
                            ("withdrawn", "withdrawn by a correction"),
                        ],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("number", models.BigIntegerField(help_text="of the latest change")),
                (
                    "is_late",
                    models.BooleanField(
                        default=False, help_text="found when later facts were known"
                    ),
                ),
                (
                    "has_no_recipient",
                    models.BooleanField(
                        default=False, help_text="the rule named no active recipient"
                    ),
                ),
                ("amended_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to="assets.asset",
                    ),
                ),
                (
                    "crossing",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to="geofence.crossing",
                    ),
                ),
                (
                    "geofence",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
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
        migrations.CreateModel(
            name="AlertChange",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "change",
                    models.CharField(
                        choices=[
                            ("raised", "raised"),
                            ("amended", "amended by a correction"),
                            ("withdrawn", "withdrawn by a correction"),
                            ("reinstated", "reinstated by a correction"),
                            ("resolved", "resolved, since it ended"),
                            ("reopened", "reopened, since it had not ended"),
                            ("acknowledged", "acknowledged"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "previous_at",
                    models.DateTimeField(
                        help_text="time of the alert before it was amended", null=True
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="alerts.alert",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.organisation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AlertStream",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="alert_stream_one_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Recipient",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("channel", models.CharField(default="email", max_length=16)),
                ("address", models.CharField(max_length=320)),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                (
                    "is_active",
                    models.BooleanField(
                        default=True, help_text="inactive recipients are not notified"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recipients",
                        to="accounts.organisation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AlertNotification",
            fields=[
                (
                    "notification",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="outbox.notification",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("raised", "raised"),
                            ("amended", "amended"),
                            ("withdrawn", "withdrawn"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="alerts.alert",
                    ),
                ),
                (
                    "change",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="alerts.alertchange",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="alerts.recipient",
                    ),
                ),
            ],
            options={
                "verbose_name": "notification",
            },
        ),
        migrations.CreateModel(
            name="Rule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("retired_at", models.DateTimeField(editable=False, null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="accounts.organisation",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="alert",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="alerts", to="alerts.rule"
            ),
        ),
        migrations.CreateModel(
            name="RuleVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                (
                    "trigger",
                    models.CharField(
                        choices=[
                            ("enter", "enters"),
                            ("exit", "leaves"),
                            ("enter_or_exit", "enters or leaves"),
                            ("pass", "passes through"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("info", "info"),
                            ("warning", "warning"),
                            ("critical", "critical"),
                        ],
                        default="warning",
                        max_length=16,
                    ),
                ),
                (
                    "asset_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="with tags: empty for all",
                        size=None,
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        default=list,
                        help_text="with asset_ids: empty for all",
                        size=None,
                    ),
                ),
                (
                    "recipient_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "quiet_from",
                    models.TimeField(
                        help_text="from then on occurrences raise no alert", null=True
                    ),
                ),
                (
                    "quiet_until",
                    models.TimeField(help_text="on the next day, if not later", null=True),
                ),
                (
                    "time_zone",
                    models.CharField(help_text="of the quiet hours; an IANA name", max_length=64),
                ),
                ("valid_from", models.DateTimeField()),
                ("valid_to", models.DateTimeField(null=True)),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "geofence",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="rule_versions",
                        to="geofence.geofence",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="alerts.rule",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="alert",
            name="rule_version",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="alerts.ruleversion",
            ),
        ),
        migrations.AddIndex(
            model_name="alertchange",
            index=models.Index(fields=["organisation", "number"], name="alert_change_stream"),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.UniqueConstraint(
                models.F("organisation"),
                models.F("channel"),
                django.db.models.functions.text.Lower("address"),
                name="recipient_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertnotification",
            constraint=models.UniqueConstraint(
                fields=("change", "recipient"), name="alert_notification_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at__isnull", True)),
                fields=("organisation", "name"),
                name="rule_name_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruleversion",
            constraint=models.UniqueConstraint(
                fields=("rule", "version"), name="rule_version_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="ruleversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("quiet_from", None), ("quiet_until", None)),
                    models.Q(
                        ("quiet_from__isnull", False),
                        ("quiet_until__isnull", False),
                        models.Q(("quiet_from", models.F("quiet_until")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="rule_version_quiet_hours_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruleversion",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("rule", "="),
                    (models.Func("valid_from", "valid_to", function="tstzrange"), "&&"),
                ],
                name="rule_version_once",
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["organisation", "-id"], name="alert_newest"),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["organisation", "number"], name="alert_by_change"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                fields=("rule", "evidence_kind", "evidence_id"), name="alert_once"
            ),
        ),
    ]
