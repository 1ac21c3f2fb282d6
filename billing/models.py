"""Tables of usage. Written by `billing.metering` only."""

from __future__ import annotations

from django.db import models

from assets.models import Asset, Tenanted


class HourQuerySet(Tenanted):
    organisation_path = "asset__organisation_id"


class UsageHour(models.Model):
    """How many positions of an asset were measured in an hour of UTC.

    An hour lies in one local day of every time zone in whole hours; local days are put
    together from hours when they are billed.
    """

    pk = models.CompositePrimaryKey("asset_id", "hour")
    asset = models.ForeignKey(Asset, models.CASCADE, db_constraint=False, db_index=False)
    hour = models.DateTimeField()
    positions = models.PositiveIntegerField()

    objects = HourQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.asset_id} in {self.hour:%Y-%m-%d %H}h: {self.positions}"
