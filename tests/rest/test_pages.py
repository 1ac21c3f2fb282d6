"""Lists come in pages, and no page size or cursor does harm."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from tests import builders
from tests.conftest import Api


@pytest.fixture
def vans(north: Organisation) -> list[str]:
    """Return the names of five vans, newest first."""
    return [builders.make_asset(north, f"van {number}").name for number in range(5)][::-1]


def names(answer: object) -> list[str]:
    return [row["name"] for row in answer.json()["results"]]  # type: ignore[attr-defined]


def test_the_newest_come_first(api: Api, viewer: User, vans: list[str]) -> None:
    assert names(api(viewer).get("/api/v1/assets/")) == vans


def test_following_next_shows_each_row_once(api: Api, viewer: User, vans: list[str]) -> None:
    client = api(viewer)
    first = client.get("/api/v1/assets/?page_size=3")
    second = client.get(first.json()["next"])

    assert names(first) + names(second) == vans
    assert second.json()["next"] is None


def test_a_row_that_is_added_meanwhile_shifts_nothing(
    api: Api, viewer: User, vans: list[str], north: Organisation
) -> None:
    client = api(viewer)
    first = client.get("/api/v1/assets/?page_size=3")
    builders.make_asset(north, "newcomer")

    second = client.get(first.json()["next"])

    assert names(first) + names(second) == vans


@pytest.mark.fault("F-108")
@pytest.mark.parametrize("size", ["0", "-1", "text", "", "1.5", "9" * 40, "²", "%00"])
def test_nonsense_is_no_page_size(size: str, api: Api, viewer: User, vans: list[str]) -> None:
    answer = api(viewer).get(f"/api/v1/assets/?page_size={size}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")


@pytest.mark.fault("F-108")
def test_a_huge_page_size_means_the_largest(api: Api, viewer: User, vans: list[str]) -> None:
    assert names(api(viewer).get("/api/v1/assets/?page_size=1000000000")) == vans


@pytest.mark.fault("F-108")
@pytest.mark.parametrize(
    "cursor",
    ["abc", "", "%00", *(b64encode(text).decode() for text in (b"p=abc", b"o=-1", b"p=%00"))],
)
def test_a_changed_cursor_is_refused_or_harmless(
    cursor: str, api: Api, viewer: User, vans: list[str]
) -> None:
    answer = api(viewer).get("/api/v1/assets/", {"cursor": cursor})

    assert answer.status_code in (200, 400)


@pytest.mark.fault("F-108")
def test_a_cursor_of_ours_with_another_position_is_refused(
    api: Api, viewer: User, vans: list[str]
) -> None:
    answer = api(viewer).get("/api/v1/assets/", {"cursor": b64encode(b"p=abc").decode()})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")


@pytest.mark.fault("F-108")
def test_a_position_beyond_every_id_is_harmless(api: Api, viewer: User, vans: list[str]) -> None:
    cursor = b64encode(f"p={10**30}".encode()).decode()

    assert names(api(viewer).get("/api/v1/assets/", {"cursor": cursor})) == vans


@pytest.mark.fault("F-108")
def test_a_cursor_of_another_user_shows_nothing_foreign(
    api: Api, viewer: User, stranger: User, vans: list[str]
) -> None:
    following = urlsplit(api(viewer).get("/api/v1/assets/?page_size=2").json()["next"]).query

    assert names(api(stranger).get(f"/api/v1/assets/?{following}")) == []


@pytest.mark.parametrize(
    "query",
    ["organisation=x", "is_archived=x", "organisation=1e400", "organisation=NaN"],
)
def test_a_wrong_filter_is_a_400_or_finds_nothing(query: str, api: Api, viewer: User) -> None:
    client: APIClient = api(viewer)

    answer = client.get(f"/api/v1/assets/?{query}")

    assert answer.status_code in (200, 400)


@pytest.mark.parametrize("name", ["%00", "%ED%A0%80", "x" * 5000])
def test_an_odd_filter_is_never_a_500(name: str, api: Api, viewer: User) -> None:
    assert api(viewer).get(f"/api/v1/assets/?name={name}").status_code in (200, 400)


@pytest.mark.parametrize("identifier", ["0", "-1", "9" * 40, "abc", "%00", "1.0", "²"])
def test_an_odd_id_is_a_404(identifier: str, api: Api, viewer: User) -> None:
    assert api(viewer).get(f"/api/v1/assets/{identifier}/").status_code == 404
