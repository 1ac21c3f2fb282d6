"""Tables of usage. Written by `billing.metering` only."""

from __future__ import annotations

from django.db import models

from accounts.models import Tenanted
from assets.models import Asset


class HourQuerySet(Tenanted):
    organisation_path = "asset__organisation_id"


class UsageHour(models.Model):
    """An hour of UTC in which an asset measured something.

    Local days are computed from hours when they are billed. The positions are the evidence, and
    hold how often the asset measured.
    """

    pk = models.CompositePrimaryKey("asset_id", "hour")
    asset = models.ForeignKey(Asset, models.CASCADE, db_constraint=False, db_index=False)
    hour = models.DateTimeField()

    objects = HourQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.asset_id} in {self.hour:%Y-%m-%d %H}h"
