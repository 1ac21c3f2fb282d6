"""JSON means one thing, or is refused; never a 500."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from core.errors import TrackerError, UnreadableUplink
from core.rest.parsers import MAX_DEPTH, strict_json
from tests.conftest import Api


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty-body"),
        (b" \n", "empty-body"),
        (b'{"a": 1', "malformed-json"),
        (b'{"a": NaN}', "malformed-json"),
        (b"[-Infinity]", "malformed-json"),
        (b"1e999", "malformed-json"),
        (b'"\xff"', "malformed-json"),
        ('{"a": 1}'.encode("utf-16"), "malformed-json"),
        (b'"\\u0000"', "malformed-json"),
        (b'{"\\u0000": 1}', "malformed-json"),
        (b'"\\ud800"', "malformed-json"),
        (b"9" * 5000, "malformed-json"),
        (b'{"lat": 1, "lat": 89}', "duplicate-key"),
        (b'[{"a": {"b": 1, "b": 1}}]', "duplicate-key"),
        (b"[" * 33 + b"]" * 33, "json-too-deep"),
        (b"[" * 100_000 + b"]" * 100_000, "json-too-deep"),
        (b'{"a":' * 50_000, "json-too-deep"),
    ],
)
def test_what_is_not_plain_json_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(UnreadableUplink) as refusal:
        strict_json(body)

    assert refusal.value.code == code


def test_32_levels_are_read() -> None:
    assert strict_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_a_byte_order_mark_is_no_harm() -> None:
    assert strict_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(PLAIN)
def test_what_is_plain_json_is_read_as_it_is(value: Any) -> None:
    assert strict_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_no_bytes_lead_to_anything_but_a_value_or_a_refusal(body: bytes) -> None:
    with suppress(TrackerError):
        strict_json(body)


def test_a_body_over_the_limit_is_refused(
    api: Api, operator: User, north: Organisation, settings: Any
) -> None:
    settings.BODY_LIMIT_BYTES = 1000
    asked = {"organisation": north.pk, "name": "v" * 1000}

    answer = api(operator).post("/api/v1/assets/", asked)

    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


def test_another_media_type_is_refused(api: Api, operator: User) -> None:
    answer = api(operator).post("/api/v1/assets/", "a,b", content_type="text/csv")

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "\x00"},
        {"name": ["van"]},
        {"name": {"$ne": 1}},
        {"name": None},
        {"organisation": 10**30},
        {"organisation": -1},
        {"organisation": True},
        {"organisation": "1 OR 1=1"},
        {"expected_interval_s": 10**29},
        {"expected_interval_s": -1},
        {"tags": "cold"},
        {"tags": [["cold"]]},
        {"tags": {}},
        [],
        "text",
        7,
        None,
    ],
)
def test_odd_values_are_refused_and_never_a_500(
    asked: Any, api: Api, operator: User, north: Organisation
) -> None:
    whole = {"organisation": north.pk, "name": "van", **asked} if isinstance(asked, dict) else asked

    answer = api(operator).post(
        "/api/v1/assets/", json.dumps(whole), content_type="application/json"
    )

    assert 400 <= answer.status_code < 500
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_cut_off_body_is_a_400(api: Api, operator: User) -> None:
    client: APIClient = api(operator)

    answer = client.post("/api/v1/assets/", '{"name": ', content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-json")
    assert '"name"' not in answer.content.decode()
