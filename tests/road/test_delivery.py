"""The receipt of a delivery whose observations the wire format could not all read."""

from datetime import UTC, datetime

import pytest
from msgspec import structs

from core.errors import Fault
from core.observation import Observation
from tracker.road.delivery import (
    Delivery,
    ObservationOutcome,
    receipt_of,
    refused_outcomes,
    spooled_receipt,
)
from wire.uplink import Refusal

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
UNREADABLE = Refusal(
    index=0, faults=(Fault(pointer="/0/lat", code="out-of-range", detail="91 is no latitude"),)
)


USUAL = Delivery(
    organisation_id=1,
    source_id=1,
    received_at=MORNING,
    observations=(Observation(device="t-1", measured_at=MORNING),),
    indexes=(1,),
    refusals=(UNREADABLE,),
)


def test_a_receipt_is_in_the_order_of_the_uplink():
    receipt = receipt_of(USUAL, [ObservationOutcome(1, "stored")])

    assert [outcome.disposition for outcome in receipt.outcomes] == ["refused", "stored"]
    assert receipt.outcomes[0].faults == UNREADABLE.faults


def test_a_spooled_receipt_counts_only_usable_observations_as_spooled():
    receipt = spooled_receipt(USUAL)

    assert (receipt.count("spooled"), receipt.count("refused")) == (1, 1)


@pytest.mark.parametrize(
    ("members", "outcomes"),
    [
        ({}, [("refused", "out-of-range")]),
        ({"is_lenient": True}, [("set-aside", "out-of-range")]),
        ({"refusals": (Refusal(index=0, faults=()),)}, [("refused", "invalid")]),
        (
            {"refusals": (), "set_aside": "decode-failed: 3 bytes are missing"},
            [("set-aside", "decode-failed")],
        ),
        ({"refusals": ()}, []),
    ],
    ids=["refused", "a lenient sender", "without a reason", "a whole uplink", "all usable"],
)
def test_an_observation_that_could_not_be_read_has_an_outcome_with_its_code(members, outcomes):
    found = refused_outcomes(structs.replace(USUAL, **members))

    assert [(outcome.disposition, outcome.code) for outcome in found] == outcomes
