"""Versions, revisions and what is judged again when people change a geofence."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from assets.actions import DISTANT_PAST
from core.errors import Conflict, NotFound, Unprocessable
from geofence import actions
from geofence.models import Geofence, GeofenceVersion, Revision
from geofence.presets import default_max_accuracy_m, preset_for
from geofence.zone_store import ZoneStore
from positions.models import Rejudging
from tests.builders import ELEVEN, NINE, NOON, TEN, make_asset
from tests.geofence.builders import make_geofence
from tests.geofence.shapes import box, circle, polygon

pytestmark = pytest.mark.django_db


def periods(geofence: Geofence) -> list[tuple[datetime, datetime | None]]:
    """Return the periods in which each version holds, by their beginning; empty ones left out."""
    versions = geofence.versions.order_by("valid_from", "pk")
    return [
        (version.valid_from, version.valid_to)
        for version in versions
        if version.valid_from != version.valid_to
    ]


def last_asked() -> Rejudging:
    return Rejudging.objects.latest("pk")


def test_a_geofence_holds_from_now_unless_said_otherwise(north):
    before = timezone.now()

    geofence = actions.draw_geofence(organisation=north, name="depot", shape=box(9, 52, 10, 53))

    ((since, until),) = periods(geofence)
    assert before <= since <= timezone.now()
    assert until is None


def test_a_geofence_remembers_the_shape_and_its_inradius(north):
    version = make_geofence(north, shape=circle((9.7, 52.4), 250)).versions.get()

    assert version.shape == {"type": "circle", "center": [9.7, 52.4], "radius_m": 250}
    assert version.inradius_m == 250
    assert version.area.valid


def test_redrawing_ends_the_version_before(north):
    depot = make_geofence(north, valid_from=NINE)

    actions.redraw_geofence(geofence=depot, shape=box(9, 52, 10, 53), valid_from=NOON)

    assert periods(depot) == [(NINE, NOON), (NOON, None)]


def test_redrawing_keeps_what_is_not_given(north):
    depot = make_geofence(north, valid_from=NINE, persist_fixes=3, tags=["cold"])

    version = actions.redraw_geofence(geofence=depot, valid_from=NOON, persist_s=30.0)

    version.refresh_from_db()
    assert (version.persist_fixes, version.persist_s, version.tags) == (3, 30.0, ["cold"])
    assert version.shape["type"] == "circle"
    assert version.inradius_m == 250


def test_redrawing_for_the_past_replaces_all_that_came_later(north):
    depot = make_geofence(north, valid_from=NINE)
    actions.redraw_geofence(geofence=depot, persist_fixes=2, valid_from=ELEVEN)
    actions.redraw_geofence(geofence=depot, persist_fixes=3, valid_from=NOON)

    actions.redraw_geofence(geofence=depot, persist_fixes=4, valid_from=TEN)

    assert periods(depot) == [(NINE, TEN), (TEN, None)]
    # Replaced versions stay as rows, because crossings name them.
    assert depot.versions.count() == 4


def test_redrawing_from_before_the_first_version_replaces_it(north):
    depot = make_geofence(north, valid_from=NOON)

    actions.redraw_geofence(geofence=depot, shape=box(9, 52, 10, 53), valid_from=NINE)

    assert periods(depot) == [(NINE, None)]


def test_redrawing_at_the_very_beginning_of_a_version_replaces_it(north):
    depot = make_geofence(north, valid_from=NINE)

    actions.redraw_geofence(geofence=depot, shape=box(9, 52, 10, 53), valid_from=NINE)

    assert periods(depot) == [(NINE, None)]


def test_redrawing_for_the_future_waits_for_it(north):
    depot = make_geofence(north, valid_from=NINE)
    tomorrow = timezone.now() + timedelta(days=1)
    asked = Rejudging.objects.count()

    actions.redraw_geofence(geofence=depot, persist_fixes=2, valid_from=tomorrow)

    assert periods(depot) == [(NINE, tomorrow), (tomorrow, None)]
    assert Rejudging.objects.count() == asked


def test_two_versions_never_hold_at_once(north):
    version = make_geofence(north).versions.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        GeofenceVersion.objects.create(
            geofence=version.geofence,
            valid_from=NOON,
            shape=version.shape,
            area=version.area,
            inradius_m=1,
        )


def test_renaming_makes_no_version_and_judges_nothing_again(north):
    depot = make_geofence(north)
    asked = Rejudging.objects.count()

    actions.rename_geofence(geofence=depot, name="yard", colour="#ff0000")

    depot.refresh_from_db()
    assert (depot.name, depot.colour) == ("yard", "#ff0000")
    assert depot.versions.count() == 1
    assert Rejudging.objects.count() == asked


def test_deleting_ends_the_version_and_frees_the_name(north):
    depot = make_geofence(north, valid_from=NINE)

    actions.delete_geofence(geofence=depot, at=NOON)

    assert periods(depot) == [(NINE, NOON)]
    assert make_geofence(north, name=depot.name).pk != depot.pk


def test_what_is_deleted_cannot_be_changed(north):
    depot = make_geofence(north)
    actions.delete_geofence(geofence=depot)

    with pytest.raises(NotFound):
        actions.redraw_geofence(geofence=depot, persist_fixes=2)
    with pytest.raises(NotFound):
        actions.rename_geofence(geofence=depot, name="yard")
    with pytest.raises(NotFound):
        actions.delete_geofence(geofence=depot)


def test_a_name_is_taken_once_in_an_organisation(north, south):
    make_geofence(north, "depot")

    assert make_geofence(south, "depot")
    with pytest.raises(Conflict):
        make_geofence(north, "depot")


# --- revisions and judging again ------------------------------------------------------


def test_each_change_raises_the_revision_and_stamps_what_it_touched(north):
    depot = make_geofence(north, valid_from=NINE)
    first = depot.versions.get().revision

    actions.redraw_geofence(geofence=depot, persist_fixes=2, valid_from=NOON)

    revision = Revision.objects.get(organisation=north).revision
    assert revision == first + 1
    assert set(depot.versions.values_list("revision", flat=True)) == {revision}


def test_a_version_that_a_change_leaves_alone_keeps_its_revision(north):
    depot = make_geofence(north, valid_from=NINE)
    actions.redraw_geofence(geofence=depot, persist_fixes=2, valid_from=TEN)
    actions.redraw_geofence(geofence=depot, persist_fixes=3, valid_from=NOON)

    oldest, *_ = depot.versions.order_by("valid_from")
    assert oldest.revision == Revision.objects.get(organisation=north).revision - 1


def test_revisions_of_organisations_are_their_own(north, south):
    make_geofence(north)
    make_geofence(north, "yard")

    make_geofence(south)

    assert Revision.objects.get(organisation=south).revision == 1


def test_what_is_refused_raises_no_revision_and_asks_for_nothing(north):
    with pytest.raises(Unprocessable):
        make_geofence(north, shape=polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]))

    assert not Revision.objects.exists()
    assert not Geofence.objects.exists()
    assert not Rejudging.objects.exists()


def test_a_change_asks_for_the_past_that_it_concerns_to_be_judged_again(north):
    depot = make_geofence(north, valid_from=NINE)
    assert (last_asked().since, last_asked().asset_ids) == (NINE, [])

    actions.redraw_geofence(geofence=depot, persist_fixes=2, valid_from=TEN)
    assert last_asked().since == TEN

    actions.delete_geofence(geofence=depot, at=ELEVEN)
    assert last_asked().since == ELEVEN


def test_a_geofence_of_named_assets_judges_those_again_the_former_ones_too(north):
    van, lorry = make_asset(north, "van"), make_asset(north, "lorry")
    depot = make_geofence(north, asset_ids=[van.pk])
    assert last_asked().asset_ids == [van.pk]

    actions.redraw_geofence(geofence=depot, asset_ids=[lorry.pk], valid_from=NOON)

    assert last_asked().asset_ids == sorted([van.pk, lorry.pk])


def test_an_asset_of_somebody_else_is_as_unknown_as_none(north, south):
    foreign = make_asset(south)

    with pytest.raises(Unprocessable) as caught:
        make_geofence(north, asset_ids=[foreign.pk])
    with pytest.raises(Unprocessable) as unknown:
        make_geofence(north, asset_ids=[foreign.pk + 1000])

    foreign_text = caught.value.detail.replace(str(foreign.pk), "N")
    assert foreign_text == unknown.value.detail.replace(str(foreign.pk + 1000), "N")


def test_an_altitude_band_has_its_ceiling_above_its_floor(north):
    with pytest.raises(Unprocessable):
        make_geofence(north, floor_m=100.0, ceiling_m=50.0)


def test_presets_ask_frequent_reporters_for_a_second_fix():
    assert preset_for(10)["persist_fixes"] == 2
    assert preset_for(300)["persist_fixes"] == 1
    assert preset_for(300)["judges_pass_through"]
    assert not preset_for(3600)["judges_pass_through"]


def test_a_geofence_may_have_held_since_long_ago(north):
    depot = make_geofence(north, valid_from=DISTANT_PAST)

    assert periods(depot) == [(DISTANT_PAST, None)]


@pytest.mark.field("G-04")
@pytest.mark.parametrize(
    ("inradius_m", "default_m", "proposed_m"),
    [(5, 1_000, 100), (50, 1_000, 100), (120, 2_000, 500), (800, 10_000, 2_000)],
)
def test_a_limit_of_accuracy_follows_from_the_size(inradius_m, default_m, proposed_m):
    assert default_max_accuracy_m(inradius_m) == default_m
    assert preset_for(60, inradius_m)["max_accuracy_m"] == proposed_m
    assert preset_for(60)["max_accuracy_m"] is None


@pytest.mark.field("G-04")
@pytest.mark.parametrize("radius_m", [0.5, 50, 100, 120, 5_000, 60_000, 900_000])
def test_a_zone_has_the_default_limit_of_its_size(north, radius_m):
    make_geofence(north, "plain", circle((9.7, 52.4), radius_m))
    make_geofence(north, "sharp", circle((9.7, 52.4), radius_m), max_accuracy_m=0.0)

    index = ZoneStore().indexes({north.pk: 2})[north.pk]

    limits_m = sorted(zone.max_accuracy_m for zone in index.zones)
    assert limits_m == [0.0, default_max_accuracy_m(radius_m)]
