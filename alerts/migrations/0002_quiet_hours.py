"""Rules are quiet at hours of the day, in a time zone; until now, at none, in their owner's."""

from django.db import migrations, models

OF_THE_ORGANISATION = """
    UPDATE alerts_ruleversion v SET time_zone = o.time_zone
    FROM alerts_rule r JOIN assets_organisation o ON o.id = r.organisation_id
    WHERE r.id = v.rule_id"""


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]

    operations = [
        migrations.AddField(
            "ruleversion",
            "quiet_from",
            models.TimeField(null=True, help_text="what happens from then on alerts nobody"),
        ),
        migrations.AddField(
            "ruleversion",
            "quiet_until",
            models.TimeField(null=True, help_text="on the next day, if not later"),
        ),
        migrations.AddField(
            "ruleversion",
            "time_zone",
            models.CharField(
                default="UTC", max_length=64, help_text="of the quiet hours; an IANA name"
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(OF_THE_ORGANISATION, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "ruleversion",
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False)
                & ~models.Q(quiet_from=models.F("quiet_until")),
                name="rule_version_quiet_hours_whole",
            ),
        ),
    ]
