"""Rows of a statement become records by the names of their columns, wherever these stand."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
import orjson
import pytest
from django.db import connection
from msgspec import Struct

from core.statements import records, records_of, recordset
from tests.builders import NOON


class Place(Struct, frozen=True):
    name: str
    lon_deg: float
    lat_deg: float


class Reading(NamedTuple):
    name: str
    values: list[float]


class Sent(Struct, frozen=True):
    number: int | None
    lon_deg: float | None
    is_late: bool
    kind: Literal["enter", "exit"] | None
    at: datetime | None
    readings: dict[str, Any]
    fold: bytes


def place_named(name: str) -> str:
    return f"the {name}"


@pytest.mark.django_db
class TestRecords:
    def test_columns_may_stand_in_any_order(self):
        found = records(
            Place, "SELECT 52.0::float8 AS lat_deg, 9.0::float8 AS lon_deg, 'a' AS name"
        )

        assert found == [Place("a", 9.0, 52.0)]

    def test_rows_keep_their_order(self):
        found = records(place_named, "SELECT unnest(ARRAY['depot', 'gate', 'bay']) AS name")

        assert found == ["the depot", "the gate", "the bay"]

    def test_a_column_can_be_converted(self):
        sql = "SELECT '[1, 2.5]' AS values, 'shock' AS name"

        assert records(Reading, sql, values=orjson.loads) == [Reading("shock", [1, 2.5])]

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT 'a' AS name, 9.0 AS lon_deg WHERE false",
            "SELECT 'a' AS name, 9.0 AS lon_deg, 52.0 AS lat_deg, 5.0 AS altitude_m WHERE false",
            "SELECT 'a' AS name, 9.0 AS lon_deg, 52.0 AS lat_deg, 'b' AS name WHERE false",
        ],
        ids=["missing", "unknown", "twice"],
    )
    def test_columns_that_are_not_the_arguments_are_refused_even_without_rows(self, sql):
        with pytest.raises(TypeError, match=r"columns and arguments of Place differ"):
            records(Place, sql)

    def test_a_cursor_of_django_gives_records_too(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'depot' AS name")

            assert records_of(place_named, cursor) == ["the depot"]

    def test_statements_that_are_counted_give_records_too(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            assert records(place_named, "SELECT 'depot' AS name") == ["the depot"]

    def test_a_list_of_records_goes_to_the_database_and_comes_back(self):
        sent = [
            Sent(1, 2.5, is_late=True, kind="enter", at=NOON, readings={"shock": 1}, fold=b"\0"),
            Sent(None, None, is_late=False, kind=None, at=None, readings={}, fold=b""),
        ]

        found = records(
            Sent,
            "SELECT number, lon_deg, is_late, kind, at, readings::text AS readings,"
            f" decode(fold, 'base64') AS fold FROM {recordset(Sent)}",
            [msgspec.json.encode(sent).decode()],
            readings=orjson.loads,
        )

        assert found == sent
