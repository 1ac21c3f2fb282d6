from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction

from accounts.models import ApiToken, Organisation, User
from accounts.tokens import digest_of
from assets import actions
from assets.models import Asset, Assignment, Device, MovedHistory, RegistryRevision, Source
from core.errors import Conflict, Unprocessable
from tests import builders
from tests.builders import NINE, NOON, TEN, assign, make_asset, make_device, make_source


@pytest.fixture
def tracker(north: Organisation) -> Device:
    return make_device(north, "00-1C-B3-09-85-15-00-01")


def revision() -> int:
    return RegistryRevision.objects.get().revision


def periods_of(device: Device) -> list[tuple[str, datetime | None, datetime | None]]:
    rows = Assignment.objects.filter(device=device).select_related("asset").order_by("during")
    return [(row.asset.name, row.during.lower, row.during.upper) for row in rows]


def test_a_device_is_registered_under_one_spelling(tracker: Device) -> None:
    assert tracker.identifier == "001cb30985150001"


def test_another_spelling_of_a_registered_device_conflicts(
    north: Organisation, tracker: Device
) -> None:
    with pytest.raises(Conflict):
        make_device(north, "001CB30985150001")


def test_two_organisations_may_register_the_same_identifier(
    south: Organisation, tracker: Device
) -> None:
    assert make_device(south, tracker.identifier).pk != tracker.pk


@pytest.mark.parametrize("identifier", ["", "   ", "x" * 101, "a\x00b", "a\nb"])
def test_what_is_no_identifier_is_refused(north: Organisation, identifier: str) -> None:
    with pytest.raises(Unprocessable):
        actions.register_device(organisation=north, identifier=identifier)


def test_assigning_ends_the_ongoing_assignment(north: Organisation, tracker: Device) -> None:
    assign(tracker, make_asset(north, "van"), NINE)

    assign(tracker, make_asset(north, "truck"), NOON)

    assert periods_of(tracker) == [("van", NINE, NOON), ("truck", NOON, None)]


def test_assigning_from_the_very_start_replaces(north: Organisation, tracker: Device) -> None:
    assign(tracker, make_asset(north, "van"), NINE)

    assign(tracker, make_asset(north, "truck"), NINE)

    assert periods_of(tracker) == [("truck", NINE, None)]


def test_an_overlap_with_a_past_assignment_conflicts(north: Organisation, tracker: Device) -> None:
    van = make_asset(north, "van")
    assign(tracker, van, NINE, NOON)

    with pytest.raises(Conflict):
        assign(tracker, van, TEN)

    assert periods_of(tracker) == [("van", NINE, NOON)]


def test_lending_a_device_for_a_while_does_not_end_the_ongoing_assignment_silently(
    north: Organisation, tracker: Device
) -> None:
    assign(tracker, make_asset(north, "van"), NINE)

    with pytest.raises(Conflict):
        assign(tracker, make_asset(north, "truck"), TEN, NOON)

    assert periods_of(tracker) == [("van", NINE, None)]


def test_periods_that_touch_do_not_overlap(north: Organisation, tracker: Device) -> None:
    van = make_asset(north, "van")
    assign(tracker, van, NINE, TEN)

    assign(tracker, van, TEN, NOON)

    assert len(periods_of(tracker)) == 2


def test_an_empty_period_is_refused(north: Organisation, tracker: Device) -> None:
    with pytest.raises(Unprocessable):
        assign(tracker, make_asset(north), NOON, NOON)


def test_an_asset_may_carry_several_devices(north: Organisation, tracker: Device) -> None:
    van = make_asset(north, "van")
    assign(tracker, van, NINE)

    assign(make_device(north), van, NINE)

    assert van.assignments.count() == 2


def test_a_device_is_never_put_on_an_asset_of_another_organisation(
    south: Organisation, tracker: Device
) -> None:
    with pytest.raises(Unprocessable):
        assign(tracker, make_asset(south), NINE)


def test_reassigning_tells_whose_history_moved_and_since_when(
    north: Organisation, tracker: Device
) -> None:
    van, truck = make_asset(north, "van"), make_asset(north, "truck")
    assign(tracker, van, NINE)
    MovedHistory.objects.all().delete()

    change = actions.assign_device(device=tracker, asset=truck, since=TEN)

    assert change.asset_ids == frozenset({van.pk, truck.pk})
    assert change.since == TEN
    promised = MovedHistory.objects.values_list("asset_id", "since")
    assert set(promised) == {(van.pk, TEN), (truck.pk, TEN)}


def test_unassigning_ends_at_that_time(north: Organisation, tracker: Device) -> None:
    van = make_asset(north, "van")
    assign(tracker, van, NINE)

    change = actions.unassign_device(device=tracker, at=NOON)

    assert periods_of(tracker) == [("van", NINE, NOON)]
    assert change.asset_ids == {van.pk}


def test_unassigning_a_device_that_is_on_nothing_conflicts(tracker: Device) -> None:
    with pytest.raises(Conflict):
        actions.unassign_device(device=tracker, at=NOON)


def test_an_assignment_that_never_was_true_can_be_taken_back(
    north: Organisation, tracker: Device
) -> None:
    assignment = assign(tracker, make_asset(north, "van"), NINE)

    change = actions.withdraw_assignment(assignment=assignment)

    assert periods_of(tracker) == []
    assert change.since == NINE


def test_archiving_takes_the_devices_off(north: Organisation, tracker: Device) -> None:
    van = make_asset(north, "van")
    assign(tracker, van, NINE)

    actions.archive_asset(asset=van)

    (period,) = periods_of(tracker)
    assert period[2] == van.archived_at


def test_an_archived_asset_takes_no_device(north: Organisation, tracker: Device) -> None:
    van = make_asset(north, "van")
    actions.archive_asset(asset=van)

    with pytest.raises(Conflict):
        assign(tracker, van, NINE)


def test_a_changed_assignment_stamps_its_device(north: Organisation, tracker: Device) -> None:
    before = revision()

    assign(tracker, make_asset(north), NINE)

    tracker.refresh_from_db()
    assert tracker.revision == revision() > before


def test_a_refused_change_leaves_the_revision(north: Organisation, tracker: Device) -> None:
    before = revision()

    with pytest.raises(Conflict):
        make_device(north, tracker.identifier)

    assert revision() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda source: make_source(source.organisation),
        lambda source: actions.change_source(source=source, name="gate"),
        lambda source: actions.rotate_source_token(source=source, overlap_s=60),
        lambda source: actions.revoke_source(source=source),
    ],
    ids=["add", "change", "rotate", "revoke"],
)
def test_each_change_of_a_source_raises_the_revision(
    north: Organisation, change: Callable[[Source], object]
) -> None:
    source, _ = make_source(north)
    before = revision()

    change(source)

    assert revision() == before + 1


@pytest.mark.fault("F-032")
def test_no_token_is_found_in_the_database(north: Organisation, owner: User) -> None:
    _, source_token = make_source(north)
    api_token = builders.make_api_token(owner)

    rows = [*Source.objects.values_list(), *ApiToken.objects.values_list()]

    assert source_token not in str(rows)
    assert api_token not in str(rows)


@pytest.mark.fault("F-032")
def test_a_digest_is_worth_nothing_without_the_key(settings: object) -> None:
    before = digest_of("token")

    settings.TOKEN_KEY = "another key"  # type: ignore[attr-defined]

    assert digest_of("token") != before


@pytest.mark.fault("F-031")
def test_after_rotation_the_old_token_lives_on_for_the_overlap(north: Organisation) -> None:
    source, old = make_source(north)

    new = actions.rotate_source_token(source=source, overlap_s=3600)

    source.refresh_from_db()
    assert (source.digest, source.previous_digest) == (digest_of(new), digest_of(old))
    assert source.previous_valid_until is not None
    left = source.previous_valid_until - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


@pytest.mark.fault("F-031")
def test_rotation_without_overlap_ends_the_old_token_at_once(north: Organisation) -> None:
    source, _ = make_source(north)

    actions.rotate_source_token(source=source, overlap_s=0)

    assert (source.previous_digest, source.previous_valid_until) == ("", None)


def test_a_revoked_source_has_no_token_left_and_gets_no_new_one(north: Organisation) -> None:
    source, _ = make_source(north)
    actions.rotate_source_token(source=source, overlap_s=3600)

    actions.revoke_source(source=source)

    assert source.previous_digest == ""
    with pytest.raises(Conflict):
        actions.rotate_source_token(source=source, overlap_s=0)


def test_an_unknown_device_gets_an_asset_named_after_it(north: Organisation) -> None:
    device = actions.register_unknown_device(
        organisation_id=north.pk, identifier="AB:CD:EF:01:23:45"
    )

    assert periods_of(device) == [("abcdef012345", actions.DISTANT_PAST, None)]


def test_an_unknown_device_finds_another_name_where_its_own_is_taken(north: Organisation) -> None:
    make_asset(north, "abcdef012345")

    device = actions.register_unknown_device(organisation_id=north.pk, identifier="abcdef012345")

    assert periods_of(device)[0][0] == f"abcdef012345 (device {device.pk})"


def test_a_device_that_people_left_unassigned_stays_so(
    north: Organisation, tracker: Device
) -> None:
    same = actions.register_unknown_device(organisation_id=north.pk, identifier=tracker.identifier)

    assert same == tracker
    assert periods_of(tracker) == []


@pytest.mark.django_db(transaction=True)
def test_a_device_that_many_report_at_once_is_registered_once() -> None:
    north = builders.make_organisation()
    found: list[int] = []

    def register() -> None:
        device = actions.register_unknown_device(organisation_id=north.pk, identifier="abc")
        found.append(device.pk)
        connections.close_all()

    threads = [threading.Thread(target=register) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 6
    assert len(set(found)) == 1
    assert Asset.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_revisions_are_committed_in_their_order() -> None:
    """A second change waits for the first, so who saw a revision has seen all before it."""
    seen: list[int] = []

    def change() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        try:
            seen.append(actions.raise_registry_revision())
        except OperationalError:
            seen.append(-1)
        connections.close_all()

    actions.raise_registry_revision()
    with transaction.atomic():
        actions.raise_registry_revision()
        thread = threading.Thread(target=change)
        thread.start()
        thread.join()

    assert seen == [-1]
