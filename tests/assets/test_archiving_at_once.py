"""An asset is archived while a device is put on it: one of the two is refused, or undone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organisation
from assets import actions
from assets.models import Asset, Assignment, Device
from core.errors import Conflict
from tests import builders
from tests.live.conftest import eventually

at_once = pytest.mark.django_db(transaction=True)


def put(device: Device, asset: Asset) -> Any:
    return actions.assign_device(device=device, asset=asset, since=timezone.now())


def while_uncommitted(first: Callable[[], Any], second: Callable[[], Any]) -> Future[Any]:
    """Do `second` in a connection of its own that waits for the commit of `first`."""

    def in_own_connection() -> Any:
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            first()
            done = thread.submit(in_own_connection)
            eventually(lambda: somebody_waits() or done.done())
        return done


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def reaches_beyond_now(asset: Asset) -> bool:
    on = Q(during__endswith=None) | Q(during__endswith__gt=timezone.now())
    return Assignment.objects.filter(on, asset=asset).exists()


@at_once
@pytest.mark.field("H-14")
def test_a_device_that_comes_while_its_asset_is_archived_is_refused(north: Organisation) -> None:
    van, device = builders.make_asset(north), builders.make_device(north)

    late = while_uncommitted(lambda: actions.archive_asset(asset=van), lambda: put(device, van))

    assert isinstance(late.exception(), Conflict)
    assert not reaches_beyond_now(van)


@at_once
@pytest.mark.field("H-14")
def test_archiving_ends_what_was_assigned_in_the_meantime(north: Organisation) -> None:
    van, device = builders.make_asset(north), builders.make_device(north)

    late = while_uncommitted(lambda: put(device, van), lambda: actions.archive_asset(asset=van))

    assert late.exception() is None
    assert not reaches_beyond_now(van)


@pytest.mark.field("H-14")
@pytest.mark.django_db
@pytest.mark.parametrize(("begins_h", "ends_h"), [(-1, 1), (1, 2), (1, None)])
def test_an_assignment_that_reaches_beyond_the_archiving_is_ended(
    north: Organisation, begins_h: int, ends_h: int | None
) -> None:
    van, now = builders.make_asset(north), timezone.now()
    until = None if ends_h is None else now + timedelta(hours=ends_h)
    builders.assign(builders.make_device(north), van, now + timedelta(hours=begins_h), until)

    actions.archive_asset(asset=van)

    assert not reaches_beyond_now(van)


@pytest.mark.field("H-14")
@pytest.mark.django_db
def test_a_copy_of_the_asset_from_before_does_not_help(north: Organisation) -> None:
    van = builders.make_asset(north)
    from_before = Asset.objects.get(pk=van.pk)
    actions.archive_asset(asset=van)

    with pytest.raises(Conflict):
        put(builders.make_device(north), from_before)
