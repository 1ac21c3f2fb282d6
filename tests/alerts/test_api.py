from __future__ import annotations

from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.models import Alert, RuleVersion
from alerts.stream import alert_row, alerts_after
from geofence.models import Crossing
from outbox.models import Notification
from tests.alerts.scenes import crossing_of, judge, make_geofence, make_rule, raise_alert
from tests.builders import ELEVEN, NINE, NOON, make_van

pytestmark = pytest.mark.django_db
ANNA = "anna@north.example"


def asked(organisation, geofence, **more: Any) -> dict[str, Any]:
    return {
        "organisation": organisation.pk,
        "name": "Depot watch",
        "trigger": "enter",
        "geofence": geofence.pk,
        "recipients": [ANNA],
    } | more


def pointers(response) -> list[str]:
    return [fault["pointer"] for fault in response.json()["errors"]]


# --- rules -----------------------------------------------------------------------


def test_an_operator_adds_a_rule(api, operator, north, depot):
    answer = api(operator).post("/api/v1/rules/", asked(north, depot, severity="critical"))

    assert answer.status_code == 201
    shown = answer.json()
    assert {key: shown[key] for key in ("trigger", "severity", "recipients", "version")} == {
        "trigger": "enter", "severity": "critical", "recipients": [ANNA], "version": 1,
    }  # fmt: skip
    assert api(operator).get(f"/api/v1/rules/{shown['id']}/").json() == shown


def test_a_viewer_reads_rules_and_adds_none(api, viewer, north, depot):
    make_rule(depot)

    assert len(api(viewer).get("/api/v1/rules/").json()["results"]) == 1
    assert api(viewer).post("/api/v1/rules/", asked(north, depot)).status_code == 403


def test_a_foreign_geofence_and_one_that_does_not_exist_are_refused_alike(
    api, operator, north, south
):
    foreign = make_geofence(south)
    wanted = asked(north, foreign)
    answers = [
        api(operator).post("/api/v1/rules/", wanted | {"geofence": pk})
        for pk in (foreign.pk, 10**9)
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert [pointers(answer) for answer in answers] == [["/geofence"], ["/geofence"]]


def test_a_provider_cannot_mix_two_organisations_in_one_rule(api, dispatcher, north, south):
    answer = api(dispatcher).post("/api/v1/rules/", asked(north, make_geofence(south)))

    assert (answer.status_code, pointers(answer)) == (422, ["/geofence"])


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"recipients": [ANNA, "nobody"]}, "/recipients/1"),
        ({"recipients": ["a@b.example\nBcc: c@d.example"]}, "/recipients/0"),
        ({"trigger": "explode"}, "/trigger"),
        ({"severity": "mild"}, "/severity"),
        ({"asset_ids": [10**9]}, "/asset_ids/0"),
        ({"asset_ids": [2**70]}, "/asset_ids/0"),
        ({"name": ""}, "/name"),
    ],
)
def test_what_is_wrong_is_pointed_at(api, operator, north, depot, wrong, pointer):
    answer = api(operator).post("/api/v1/rules/", asked(north, depot, **wrong))

    assert (answer.status_code, pointers(answer)) == (422, [pointer])


def test_a_name_that_is_taken_is_a_conflict(api, operator, north, depot):
    make_rule(depot, name="Depot watch")

    assert api(operator).post("/api/v1/rules/", asked(north, depot)).status_code == 409


def test_a_patch_begins_a_version_and_leaves_the_rest(api, operator, depot):
    rule = make_rule(depot, ANNA, severity="critical")

    answer = api(operator).patch(f"/api/v1/rules/{rule.pk}/", {"is_active": False})

    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["version"], shown["is_active"], shown["severity"]) == (2, False, "critical")
    assert RuleVersion.objects.count() == 2


def test_a_deleted_rule_is_gone_and_its_alerts_stay(api, operator, van, depot):
    rule = make_rule(depot)
    alert = raise_alert(van, depot)

    assert api(operator).delete(f"/api/v1/rules/{rule.pk}/").status_code == 204
    assert api(operator).get(f"/api/v1/rules/{rule.pk}/").status_code == 404
    assert api(operator).get(f"/api/v1/alerts/{alert.pk}/").json()["rule_name"] == rule.name


# --- alerts ----------------------------------------------------------------------


def test_an_alert_shows_names_and_says_what_happened(api, viewer, van, depot):
    make_rule(depot)
    alert = raise_alert(van, depot)

    (shown,) = api(viewer).get("/api/v1/alerts/").json()["results"]

    assert shown["text"] == "van entered Depot North"
    assert (shown["asset_name"], shown["geofence_name"]) == ("van", "Depot North")
    assert (shown["at"], shown["state"]) == ("2026-03-02T10:00:00.000000Z", "open")
    assert shown["has_no_recipient"] is True
    assert shown == alert_row(Alert.objects.get(pk=alert.pk))


def test_alerts_are_filtered(api, viewer, van, north, depot):
    rule = make_rule(depot)
    first = raise_alert(van, depot)
    second = raise_alert(make_van(north), depot, kind="exit")

    def ids(**query: Any) -> list[int]:
        found = api(viewer).get("/api/v1/alerts/", query).json()["results"]
        return [row["id"] for row in found]

    assert ids(asset=van.pk) == [first.pk]
    assert ids(rule=rule.pk, geofence=depot.pk, state="open") == [second.pk, first.pk]
    assert ids(number_after=first.number) == [second.pk]
    assert ids(state="acknowledged") == []


def test_a_stranger_sees_no_alert_rule_or_notification(api, stranger, van, depot):
    rule = make_rule(depot, ANNA)
    alert = raise_alert(van, depot)
    client = api(stranger)
    notification = Notification.objects.get()

    for path in ("rules", "alerts", "notifications"):
        assert client.get(f"/api/v1/{path}/").json()["results"] == []
    assert client.get(f"/api/v1/rules/{rule.pk}/").status_code == 404
    assert client.get(f"/api/v1/alerts/{alert.pk}/explain/").status_code == 404
    assert client.post(f"/api/v1/alerts/{alert.pk}/acknowledge/").status_code == 404
    assert client.post(f"/api/v1/notifications/{notification.pk}/resend/").status_code == 404
    assert alerts_after(stranger, 0, 10) == []


@pytest.mark.fault("F-083")
def test_the_second_who_acknowledges_learns_who_was_first(api, operator, owner, van, depot):
    make_rule(depot)
    path = f"/api/v1/alerts/{raise_alert(van, depot).pk}/acknowledge/"

    answers = [api(user).post(path) for user in (operator, owner)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.json()["acknowledged_by_name"] for answer in answers} == {"Otto"}


def test_a_viewer_acknowledges_nothing(api, viewer, van, depot):
    make_rule(depot)
    path = f"/api/v1/alerts/{raise_alert(van, depot).pk}/acknowledge/"

    assert api(viewer).post(path).status_code == 403


def test_an_alert_explains_itself(api, viewer, van, depot):
    make_rule(depot, severity="critical")
    entry = crossing_of(van, depot)
    judge(entry)
    judge(msgspec.structs.replace(entry, change="moved", at=NINE))

    shown = api(viewer).get(f"/api/v1/alerts/{Alert.objects.get().pk}/explain/").json()

    assert shown["alert"]["id"] == Alert.objects.get().pk
    assert shown["rule_version"]["severity"] == "critical"
    assert shown["crossing"]["id"] == entry.crossing_id
    assert [change["change"] for change in shown["changes"]] == ["raised", "amended"]


def test_the_stream_has_a_row_for_each_change_in_order(viewer, van, depot):
    make_rule(depot)
    entry = crossing_of(van, depot)
    (raised,) = judge(entry)
    (other,) = judge(crossing_of(van, depot, "exit", ELEVEN))
    (amended,) = judge(msgspec.structs.replace(entry, change="moved", at=NINE))

    rows = alerts_after(viewer, 0, 10)

    assert [row["number"] for row in rows] == [raised.number, other.number, amended.number]
    assert [row["id"] for row in rows] == [raised.alert_id, other.alert_id, raised.alert_id]
    assert alerts_after(viewer, raised.number, 1)[0]["number"] == other.number


# --- notifications ---------------------------------------------------------------


def test_a_failed_notification_is_resent(api, operator, van, depot):
    make_rule(depot, ANNA)
    raise_alert(van, depot)
    Notification.objects.update(state="failed", next_try_at=NOON)
    pk = Notification.objects.get().pk

    answer = api(operator).post(f"/api/v1/notifications/{pk}/resend/")

    assert (answer.status_code, answer.json()["state"]) == (200, "pending")
    assert api(operator).post("/api/v1/notifications/nonsense/resend/").status_code == 404


def test_a_sent_notification_is_not_resent(api, operator, van, depot):
    make_rule(depot, ANNA)
    raise_alert(van, depot)
    Notification.objects.update(state="sent")
    pk = Notification.objects.get().pk

    assert api(operator).post(f"/api/v1/notifications/{pk}/resend/").status_code == 409


# --- the cost --------------------------------------------------------------------


@pytest.mark.parametrize("path", ["rules", "alerts", "notifications"])
def test_a_longer_list_takes_no_more_queries(api, viewer, van, depot, path):
    client = api(viewer)
    make_rule(depot, ANNA)
    raise_alert(van, depot)
    queries(client, path)  # The first use of a token is noted.
    few = queries(client, path)
    for n in range(5):
        make_rule(depot, ANNA, name=f"Watch {n}")
        judge(crossing_of(van, depot))

    assert queries(client, path) == few <= 6


def queries(client, path) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"/api/v1/{path}/").status_code == 200
    return len(captured)


@pytest.mark.field("G-21")
def test_rules_retire_with_their_geofence_and_a_dry_run_says_so_before(api, operator, depot):
    rule, other = make_rule(depot, name="arrivals"), make_rule(depot, name="nights")
    elsewhere = make_rule(make_geofence(depot.organisation, "Yard"), name="yard watch")
    otto, path = api(operator), f"/api/v1/geofences/{depot.pk}/"

    before = otto.delete(f"{path}?dry_run=true")
    assert (before.status_code, otto.get(path).status_code) == (200, 200)
    deleted = otto.delete(path)

    named = [{"id": one.pk, "name": one.name} for one in (rule, other)]
    assert before.json() == {"rules": named}
    assert deleted.status_code == 204
    assert [row["id"] for row in otto.get("/api/v1/rules/").json()["results"]] == [elsewhere.pk]


@pytest.mark.field("G-05", "G-02")
def test_an_alert_has_the_window_of_its_crossing(api, operator, van, depot):
    make_rule(depot)
    change = crossing_of(van, depot, "pass")
    Crossing.objects.filter(pk=change.crossing_id).update(
        not_before=NINE, estimate=NINE, is_inferred=True
    )
    judge(change)

    (row,) = api(operator).get("/api/v1/alerts/").json()["results"]

    assert row["not_before"] == row["estimate"] == "2026-03-02T09:00:00.000000Z"
    assert (row["kind"], row["is_inferred"]) == ("pass", True)
