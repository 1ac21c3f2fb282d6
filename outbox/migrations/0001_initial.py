import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("channel", models.CharField(help_text="the kind of address", max_length=16)),
                ("address", models.CharField(max_length=320)),
                (
                    "kind",
                    models.CharField(
                        help_text="names the renderer: see OUTBOX_RENDERERS", max_length=32
                    ),
                ),
                (
                    "reference",
                    models.JSONField(
                        help_text="the subject of the text; its form depends on the kind"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("sending", "being sent"),
                            ("sent", "sent"),
                            ("failed", "refused for good"),
                            ("given_up", "given up"),
                            ("cancelled", "cancelled, since its text is obsolete"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_try_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "may_have_arrived",
                    models.BooleanField(
                        default=False, help_text="an attempt ended without a clear answer"
                    ),
                ),
                ("last_error", models.CharField(blank=True, default="", max_length=500)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("attempts"),
                        models.F("next_try_at"),
                        condition=models.Q(("state", "pending")),
                        name="notification_due",
                    ),
                    models.Index(
                        condition=models.Q(("state", "sending")),
                        fields=["lease_until"],
                        name="notification_leased",
                    ),
                    models.Index(fields=["-created_at", "-id"], name="notification_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "sending"), _negated=True),
                            ("lease_until__isnull", False),
                            _connector="OR",
                        ),
                        name="notification_sending_has_lease",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="NotificationAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("started", "no outcome: the worker died, or is sending"),
                            ("sent", "accepted"),
                            ("temporary", "failed for now"),
                            ("unclear", "ended without an answer"),
                            ("permanent", "refused for good"),
                        ],
                        default="started",
                        max_length=16,
                    ),
                ),
                ("detail", models.CharField(blank=True, default="", max_length=500)),
                (
                    "notification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tries",
                        to="outbox.notification",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("notification", "number"), name="attempt_number_once"
                    )
                ],
            },
        ),
    ]
