from itertools import islice, pairwise

import pytest

from simulator.fleet import (
    KINDS,
    NO_FAULTS,
    ColdBox,
    Faults,
    all_transmissions,
    make_fleet,
    reports,
    transmissions,
)
from simulator.routes import Movement, distance_m

NOON = 1_795_348_800.0
HOUR = 3_600.0


def fleet(assets=16, rate=4.0, seed=1):
    return make_fleet(assets=assets, rate=rate, seed=seed)


def device(kind_name, **options):
    return next(one for one in fleet(**options) if one.kind.name == kind_name)


def within(stream, seconds):
    for transmission in stream:
        if transmission.due_at > NOON + seconds:
            return
        yield transmission


def test_the_same_seed_says_the_same():
    first = list(islice(all_transmissions(fleet(), NOON), 500))

    assert first == list(islice(all_transmissions(fleet(), NOON), 500))
    assert first != list(islice(all_transmissions(fleet(seed=2), NOON), 500))


def test_a_fleet_that_starts_again_goes_on_where_it_was():
    truck = device("Truck")
    before, again = (islice(reports(truck, since), 100) for since in (NOON, NOON + 60))

    both = sorted([*before, *again], key=lambda one: one.measured_at)

    for one, other in pairwise(both):
        apart_m = distance_m((one.lon_deg, one.lat_deg), (other.lon_deg, other.lat_deg))
        # As fast as it drives, and what two bad receivers add.
        assert apart_m < 30 * (other.measured_at - one.measured_at) + 200


def test_a_fleet_reports_as_often_as_asked():
    sent = list(within(all_transmissions(fleet(rate=5), NOON, NO_FAULTS), 600))

    assert len(sent) == pytest.approx(5 * 600, rel=0.05)


def test_every_wire_format_is_spoken():
    spoken = {
        transmission.wire_format for transmission in within(all_transmissions(fleet(), NOON), 300)
    }

    assert spoken == {"json", "ttn", "chirpstack", "osmand", "owntracks", "traccar"}


def test_identifiers_are_unique_and_lorawan_ones_are_16_hex_digits():
    identifiers = [one.identifier for one in fleet(assets=300)]
    lorawan = [
        one.identifier for one in fleet(assets=300) if one.kind.wire_format in ("ttn", "chirpstack")
    ]

    assert len(set(identifiers)) == 300
    assert all(len(identifier) == 16 and int(identifier, 16) for identifier in lorawan)


def test_deliveries_come_in_the_order_in_which_they_are_due():
    due = [transmission.due_at for transmission in islice(all_transmissions(fleet(), NOON), 5_000)]

    assert due == sorted(due)


def test_nothing_is_delivered_before_it_was_measured():
    for transmission in islice(all_transmissions(fleet(), NOON), 5_000):
        assert all(report.measured_at <= transmission.due_at for report in transmission.reports)


def test_a_repeat_is_the_same_report_again():
    only_repeats = Faults(missing=0, repeated=1, delayed=0, shadow=0)
    sent = list(within(transmissions(device("Van"), NOON, only_repeats), 600))
    prompt = [one.reports for one in sent if one.fate == "prompt"]
    again = [one.reports for one in sent if one.fate == "repeated"]

    assert again
    assert all(reports in prompt for reports in again)


def test_a_delayed_report_is_overtaken():
    sent = list(within(transmissions(device("Van"), NOON, Faults(delayed=0.2)), HOUR))
    measured = [one.reports[0].measured_at for one in sent]

    assert any(after < before for before, after in pairwise(measured))


def test_a_phone_sends_what_it_stored_in_a_radio_shadow():
    shadows = Faults(missing=0, repeated=0, delayed=0, shadow=0.05)
    sent = list(within(transmissions(device("Van"), NOON, shadows), 2 * HOUR))
    numbers = [report.number for one in sent for report in one.reports]

    assert any(one.fate == "stored" for one in sent)
    assert set(numbers) == set(range(max(numbers) + 1))


def test_a_lorawan_device_loses_what_nobody_heard():
    shadows = Faults(missing=0, repeated=0, delayed=0, shadow=0.05)
    sent = list(within(transmissions(device("Container"), NOON, shadows), 12 * HOUR))
    numbers = [report.number for one in sent for report in one.reports]

    assert len(set(numbers)) < max(numbers) + 1


def test_a_device_with_our_own_json_sends_its_store_in_one_piece():
    shadows = Faults(missing=0, repeated=0, delayed=0, shadow=0.05)
    sent = within(transmissions(device("Crane"), NOON, shadows), 6 * HOUR)

    assert any(len(one.reports) >= shadows.shadow_reports[0] for one in sent)


def test_two_thirds_of_the_fixes_lie_within_the_accuracy_they_state():
    cold_room = device("Cold room")
    truth = cold_room.journey.at(0)
    sent = list(islice(reports(cold_room, NOON), 4_000))

    hits = sum(
        distance_m((one.lon_deg, one.lat_deg), (truth.lon_deg, truth.lat_deg)) <= one.accuracy_m
        for one in sent
    )

    assert hits / len(sent) == pytest.approx(0.68, abs=0.03)


def test_a_battery_falls_and_is_charged_again():
    levels = [one.battery_percent for one in islice(reports(device("Reefer"), NOON), 30_000)]
    rises = [after - before for before, after in pairwise(levels) if after > before]

    assert min(levels) > 0
    assert max(levels) <= 100
    assert rises
    assert len(rises) < 20


def test_a_cold_box_warms_through_its_open_door_and_recovers():
    class Chance:
        luck = 1.0

        def gauss(self, _mean, _sigma):
            return 0.0

        def random(self):
            return self.luck

        def expovariate(self, _rate):
            return 300.0

    chance = Chance()
    box = ColdBox(4.0, chance)  # type: ignore[arg-type]
    at_rest = Movement(lon_deg=14, lat_deg=46)

    closed = box.readings(60, at_rest)
    chance.luck = 0.0
    opened = box.readings(60, at_rest)
    chance.luck = 1.0
    later = [box.readings(600, at_rest) for _ in range(8)][-1]

    assert (closed["contact"], closed["air.temperature"]) == ("closed", 4.0)
    assert opened["contact"] == "open"
    assert opened["air.temperature"] > 4.5  # type: ignore[operator]
    assert later["contact"] == "closed"
    assert later["air.temperature"] == pytest.approx(4.0, abs=0.1)


def test_only_what_is_cooled_says_how_cold_it_is():
    cooled = {kind.name for kind in KINDS if kind.set_point_c is not None}

    speaking = {
        one.kind.name for one in fleet() if "air.temperature" in next(reports(one, NOON)).readings
    }

    assert speaking == cooled


@pytest.mark.parametrize("name", ["Reefer", "Container"])
def test_what_reports_no_speed_stands_long_enough_to_be_seen_resting(name):
    journey = device(name).journey
    instants = range(0, 6 * 3600, 10)

    stands = "".join("-" if journey.at(at).is_resting else " " for at in instants).split()

    # The first one and the last one may have been cut.
    assert len(stands) > 2
    assert min(map(len, stands[1:-1])) * 10 >= 600
