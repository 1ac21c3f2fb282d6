"""`GET /api/v1/live/snapshot/`, the live map at once."""

from __future__ import annotations

import pytest
from django.urls import include, path

from accounts.models import User
from assets.models import Asset
from positions.models import AssetState
from tests.builders import NOON
from tests.conftest import Api
from tests.live.world import by_id
from tracker.live import api as live_api

urlpatterns = [path("api/v1/", include(live_api.urls))]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def seen_van(van: Asset) -> Asset:
    AssetState.objects.update_or_create(
        asset=van,
        defaults={"organisation_id": van.organisation_id, "measured_at": NOON, "received_at": NOON},
    )
    return van


def test_a_member_gets_a_snapshot_frame(api: Api, viewer: User, seen_van: Asset) -> None:
    frame = api(viewer).get("/api/v1/live/snapshot/").json()

    assert (frame["type"], frame["epoch"], frame["seq"]) == ("snapshot", None, 0)
    assert list(by_id(frame["assets"])) == [seen_van.pk]


@pytest.mark.law(7)
def test_a_stranger_gets_nothing_of_it(api: Api, stranger: User, seen_van: Asset) -> None:
    assert api(stranger).get("/api/v1/live/snapshot/").json()["assets"]["id"] == []


def test_the_provider_gets_all(api: Api, dispatcher: User, seen_van: Asset) -> None:
    frame = api(dispatcher).get("/api/v1/live/snapshot/").json()

    assert frame["assets"]["id"] == [seen_van.pk]


def test_nobody_gets_no_answer(anonymous) -> None:
    assert anonymous.get("/api/v1/live/snapshot/").status_code == 401
