"""`manage.py demo --organisation ID`: assets, geofences, rules and people for the simulator."""

from __future__ import annotations

import json
import os
import secrets
from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import timedelta
from math import ceil
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts import actions as people
from accounts.models import Membership, Organisation, User
from alerts import actions as alert_actions
from alerts.models import Rule
from assets import actions as asset_actions
from assets.models import Asset, Device
from geofence import actions as geofence_actions
from geofence.models import Geofence
from simulator.fleet import SimulatedDevice, make_fleet
from simulator.routes import PLACES

# History that the simulator sends first belongs to the assets too.
SINCE = timedelta(days=2)

PEOPLE = {
    "dispatcher": {"username": "dispatcher", "email": "dispatcher@example.org"},
    "customer": {"username": "customer", "email": "customer@example.org"},
}

CIRCLES_M = {"Ljubljana": 1_200.0, "Koper": 1_500.0, "Postojna": 900.0, "Pazin": 800.0}


class Command(BaseCommand):
    help = "Load a demo fleet, geofences, rules and people. Does nothing where they are there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", type=int, required=True)
        parser.add_argument("--assets", type=int, default=25)
        parser.add_argument("--rate", type=float, default=5.0, help="reports a second")

    def handle(self, **options: Any) -> None:
        organisation = Organisation.objects.filter(pk=options["organisation"]).first()
        if organisation is None:
            raise CommandError(f"There is no organisation {options['organisation']}.")
        fleet = make_fleet(assets=options["assets"], rate=options["rate"], seed=1)
        with transaction.atomic():
            load_assets(organisation, fleet)
            load_geofences(organisation)
            load_rules(organisation)
            password = os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(12)
            logins = load_people(organisation, password)
        self.stdout.write(json.dumps(logins))


def load_assets(organisation: Organisation, fleet: Iterable[SimulatedDevice]) -> None:
    known = set(
        Device.objects.filter(organisation=organisation).values_list("identifier", flat=True)
    )
    taken = set(Asset.objects.filter(organisation=organisation).values_list("name", flat=True))
    for simulated in fleet:
        if simulated.identifier in known or simulated.asset_name in taken:
            continue
        asset = asset_actions.add_asset(
            organisation=organisation,
            name=simulated.asset_name,
            kind=simulated.kind.asset_kind,
            tags=["cold"] if simulated.kind.set_point_c is not None else [],
            expected_interval_s=max(5, ceil(simulated.interval_s)),
        )
        device = asset_actions.register_device(
            organisation=organisation, identifier=simulated.identifier
        )
        asset_actions.assign_device(device=device, asset=asset, since=timezone.now() - SINCE)


def demo_shapes() -> dict[str, dict[str, Any]]:
    """Return the shapes of geofences that the routes of the fleet cross, by name."""
    circles = {
        f"{place} yard": {"type": "circle", "center": PLACES[place], "radius_m": radius_m}
        for place, radius_m in CIRCLES_M.items()
    }
    lon_deg, lat_deg = PLACES["Trieste"]
    port = [
        (lon_deg - 0.020, lat_deg - 0.012),
        (lon_deg + 0.016, lat_deg - 0.014),
        (lon_deg + 0.022, lat_deg + 0.006),
        (lon_deg - 0.004, lat_deg + 0.014),
        (lon_deg - 0.020, lat_deg - 0.012),
    ]
    coast = {
        "type": "corridor",
        "coordinates": [PLACES["Poreč"], PLACES["Rovinj"], PLACES["Pula"]],
        "width_m": 3_000.0,
    }
    # The recorded drive passes through it every few minutes.
    village = {"type": "circle", "center": (13.7205, 45.2785), "radius_m": 300.0}
    return {
        **circles,
        "Trieste port": {"type": "polygon", "coordinates": [port]},
        "Coast road": coast,
        "Višnjan": village,
    }


def load_geofences(organisation: Organisation) -> None:
    taken = set(
        Geofence.objects.filter(organisation=organisation, deleted_at=None).values_list(
            "name", flat=True
        )
    )
    for name, shape in demo_shapes().items():
        if name not in taken:
            geofence_actions.draw_geofence(
                organisation=organisation,
                name=name,
                shape=shape,
                valid_from=timezone.now() - SINCE,
            )


def load_rules(organisation: Organisation) -> None:
    taken = set(
        Rule.objects.filter(organisation=organisation, retired_at=None).values_list(
            "name", flat=True
        )
    )
    wanted = {
        "Somebody in Višnjan": ("Višnjan", "enter_or_exit", "info"),
        "Arrival in Koper": ("Koper yard", "enter", "info"),
        "Departure from Ljubljana": ("Ljubljana yard", "exit", "info"),
        "Into the port of Trieste": ("Trieste port", "enter", "warning"),
    }
    for name, (geofence_name, trigger, severity) in wanted.items():
        geofence = Geofence.objects.filter(
            organisation=organisation, name=geofence_name, deleted_at=None
        ).first()
        if name not in taken and geofence is not None:
            alert_actions.add_rule(
                organisation=organisation,
                name=name,
                trigger=trigger,
                geofence=geofence,
                severity=severity,
                recipients=[PEOPLE["customer"]["email"]],
                now=timezone.now() - SINCE,
            )


def load_people(organisation: Organisation, password: str) -> dict[str, dict[str, str]]:
    """Create a dispatcher of the provider and a customer of the organisation; return the logins."""
    _ensure_person(staff_role=User.StaffRole.DISPATCHER, password=password, **PEOPLE["dispatcher"])
    customer = _ensure_person(
        staff_role=User.StaffRole.NONE, password=password, **PEOPLE["customer"]
    )
    if not Membership.objects.filter(user=customer, organisation=organisation).exists():
        people.add_member(organisation=organisation, user=customer, role=Membership.Role.OPERATOR)
    return {
        role: {"username": person["username"], "password": password}
        for role, person in PEOPLE.items()
    }


def _ensure_person(*, username: str, email: str, staff_role: str, password: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        return people.create_user(
            username=username, email=email, password=password, staff_role=staff_role
        )
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user
