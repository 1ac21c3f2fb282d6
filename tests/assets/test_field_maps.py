"""Field maps of devices: checked at the doors, and in force for uplinks from then on."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from assets import actions
from assets.device_registry import Registry
from assets.field_maps import rules_of_json
from assets.models import Device
from core.errors import Unprocessable
from tests import builders
from tests.conftest import Api
from tests.wire.uplinks import only, ttn_uplink, uplink
from wire.registry import FORMATS

VOLTS = {"member": "status.bat", "reading": "battery.voltage", "unit": "mV"}
OTHER = {"member": "bat", "reading": "battery.level"}


@pytest.fixture
def tracker(north: Any) -> Device:
    return builders.make_device(north, "0004a30b001c0530")


def url_of(device: Device) -> str:
    return f"/api/v1/devices/{device.pk}/"


@pytest.mark.field("S-36")
def test_a_field_map_is_in_force_for_uplinks_from_then_on(
    api: Api, operator: User, tracker: Device
) -> None:
    sent = uplink(ttn_uplink({"status": {"bat": 500}}))
    registry = Registry()

    def readings() -> dict[str, Any]:
        registry.refresh()
        found = FORMATS["ttn"].decode(
            sent, lambda name: registry.model_of(tracker.organisation_id, name)
        )
        readings: dict[str, Any] = only(found).readings
        return readings

    before = readings()
    answer = api(operator).patch(url_of(tracker), {"field_map": [VOLTS], "week_rounds": 1})

    assert "battery.voltage" not in before
    assert (answer.status_code, answer.json()["field_map"]) == (200, [VOLTS])
    assert readings()["battery.voltage"] == 0.5
    model = registry.model_of(tracker.organisation_id, tracker.identifier)
    assert model is not None
    assert model.week_rounds == 1


def test_a_device_is_registered_with_its_field_map(api: Api, operator: User, north: Any) -> None:
    rule = {"member": "t", "reading": "air.temperature", "scale": 0.1, "offset": -40.0}
    asked = {"organisation": north.pk, "identifier": "aabb", "field_map": [rule]}

    answer = api(operator).post("/api/v1/devices/", asked)

    assert answer.status_code == 201
    assert Device.objects.get(identifier="aabb").field_map == [rule]


@pytest.mark.parametrize(
    ("field_map", "pointer", "said"),
    [
        ([{"member": "b", "unit": "furlong"}], "/field_map/0", "no unit"),
        ([VOLTS, {"member": "b", "reading": "temperature"}], "/field_map/1", "no reading"),
        ([{"reading": "light"}], "/field_map/0/member", "required"),
        ([{"member": "b", "factor": 3}], "/field_map/0/factor", "no such member"),
        ([{"member": "b", "scale": "x"}], "/field_map/0/scale", "number"),
        ([3], "/field_map/0", "dictionary"),
        ({"member": "b"}, "/field_map", "list"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_with_its_place(
    api: Api, operator: User, tracker: Device, field_map: Any, pointer: str, said: str
) -> None:
    answer = api(operator).patch(url_of(tracker), {"field_map": field_map})

    assert answer.status_code == 422
    error = answer.json()["errors"][0]
    assert error["pointer"].startswith(pointer)
    assert said in str(error)


def test_two_rules_for_a_member_are_refused(api: Api, operator: User, tracker: Device) -> None:
    answer = api(operator).patch(url_of(tracker), {"field_map": [OTHER, OTHER]})

    assert answer.status_code == 422
    assert answer.json()["detail"] == "field_map: rule 2: 'bat' has two rules"


def test_who_may_only_look_cannot_change_a_field_map(
    api: Api, viewer: User, tracker: Device
) -> None:
    assert api(viewer).patch(url_of(tracker), {"field_map": [VOLTS]}).status_code == 403


@pytest.mark.parametrize(
    "value", [{"member": "b"}, [{"member": 3}], [OTHER] * 65, [{"member": ""}]]
)
def test_an_action_takes_only_field_maps(tracker: Device, value: Any) -> None:
    with pytest.raises(Unprocessable):
        actions.change_device(device=tracker, field_map=value)


def test_a_field_map_has_so_many_rules_at_most() -> None:
    many = [{"member": f"m{place}", "reading": "light"} for place in range(64)]

    assert len(rules_of_json(many)) == 64


@pytest.mark.parametrize(
    ("text", "is_saved"), [('[{"member": "bat", "unit": "V"}]', True), ('[{"member": "b"}]', False)]
)
def test_the_admin_checks_a_field_map(
    client: Client, admin: User, tracker: Device, text: str, is_saved: bool
) -> None:
    client.force_login(admin)
    form = {"name": "", "model": "", "field_map": text, "week_rounds": 0}
    inline = {"assignments-TOTAL_FORMS": 0, "assignments-INITIAL_FORMS": 0}

    client.post(f"/admin/assets/device/{tracker.pk}/change/", form | inline)

    tracker.refresh_from_db()
    assert bool(tracker.field_map) is is_saved
