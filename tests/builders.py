"""Builders: they fill in what does not matter, so that a test shows only what does.

Everything is made through the actions, as the doors do it.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from accounts import actions as people
from accounts.models import Membership, Organisation, User
from assets import actions
from assets.models import Asset, Assignment, Device, Source

MORNING = datetime(2026, 3, 2, 6, tzinfo=UTC)
NINE = MORNING.replace(hour=9)
TEN = MORNING.replace(hour=10)
ELEVEN = MORNING.replace(hour=11)
NOON = MORNING.replace(hour=12)
EVENING = MORNING.replace(hour=18)

# A depot at the edge of Hanover; longitude first.
DEPOT_LONLAT_DEG = (9.7320, 52.3759)

_numbers = itertools.count(1)


def make_organisation(name: str = "", time_zone: str = "Europe/Berlin") -> Organisation:
    return people.create_organisation(name=name or f"Haulier {next(_numbers)}", time_zone=time_zone)


def make_user(username: str = "", *, staff_role: str = User.StaffRole.NONE) -> User:
    """Return a person who is nobody's member and has no password."""
    name = username or f"person{next(_numbers)}"
    return people.create_user(
        username=name, email=f"{name}@example.com", staff_role=staff_role, first_name=name.title()
    )


def make_member(
    organisation: Organisation, role: str = Membership.Role.OWNER, username: str = ""
) -> User:
    """Return a new person who is a member of `organisation`."""
    user = make_user(username)
    people.add_member(organisation=organisation, user=user, role=role)
    return user


def make_asset(
    organisation: Organisation, name: str = "", *, tags: list[str] | None = None
) -> Asset:
    return actions.add_asset(
        organisation=organisation, name=name or f"van {next(_numbers)}", tags=tags
    )


def make_device(organisation: Organisation, identifier: str = "") -> Device:
    return actions.register_device(
        organisation=organisation, identifier=identifier or f"{next(_numbers):016x}"
    )


def assign(
    device: Device,
    asset: Asset,
    since: datetime = actions.DISTANT_PAST,
    until: datetime | None = None,
) -> Assignment:
    change = actions.assign_device(device=device, asset=asset, since=since, until=until)
    assert change.assignment is not None
    return change.assignment


def make_van(organisation: Organisation, name: str = "", identifier: str = "") -> Asset:
    """Return an asset with a device on it for as long as anybody can remember."""
    asset = make_asset(organisation, name)
    assign(make_device(organisation, identifier), asset)
    return asset


def device_on(asset: Asset) -> Device:
    """Return the device that was last put on `asset`."""
    device: Device = Device.objects.filter(assignments__asset=asset).latest("assignments__pk")
    return device


def make_source(
    organisation: Organisation,
    wire_format: str = "json",
    *,
    name: str = "",
    device: Device | None = None,
    unknown_devices: str = Source.UnknownDevices.SET_ASIDE,
) -> tuple[Source, str]:
    """Return the source and its token."""
    return actions.add_source(
        organisation=organisation,
        name=name or f"gateway {next(_numbers)}",
        wire_format=wire_format,
        device=device,
        unknown_devices=unknown_devices,
    )


def make_api_token(user: User, name: str = "laptop") -> str:
    return people.issue_api_token(user=user, name=name)[1]
