from __future__ import annotations

import pytest

from accounts.models import Organisation
from geofence.models import Geofence
from tests.alerts.scenes import make_geofence


@pytest.fixture
def depot(north: Organisation) -> Geofence:
    return make_geofence(north)
