"""Two hauliers who must never learn of each other, and a person of each role."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import settings
from rest_framework.test import APIClient

from accounts.models import Membership, Organisation, User
from assets.models import Asset
from tests import builders
from tests.lanes import keep_own_lane
from tests.outbox.mail_server import MailServer, serve
from tracker.readiness import last_check
from tracker.road.road_memory import RoadMemory, replace_memory_of_process

# `make night` looks longer; the clock of a busy machine is no reason to fail.
settings.register_profile("day", deadline=None)
settings.register_profile("night", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "day"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    keep_own_lane(config, items)


Api = Callable[[User], APIClient]


@pytest.fixture
def north(db: None) -> Organisation:
    return builders.make_organisation("North Haulage")


@pytest.fixture
def south(db: None) -> Organisation:
    return builders.make_organisation("South Logistics")


@pytest.fixture
def owner(north: Organisation) -> User:
    return builders.make_member(north, Membership.Role.OWNER, "olga")


@pytest.fixture
def operator(north: Organisation) -> User:
    return builders.make_member(north, Membership.Role.OPERATOR, "otto")


@pytest.fixture
def viewer(north: Organisation) -> User:
    return builders.make_member(north, Membership.Role.VIEWER, "vera")


@pytest.fixture
def stranger(south: Organisation) -> User:
    """Return the owner of the other haulier."""
    return builders.make_member(south, Membership.Role.OWNER, "stan")


@pytest.fixture
def dispatcher(db: None) -> User:
    return builders.make_user("dora", staff_role=User.StaffRole.DISPATCHER)


@pytest.fixture
def admin(db: None) -> User:
    return builders.make_user("ada", staff_role=User.StaffRole.ADMIN)


@pytest.fixture
def van(north: Organisation) -> Asset:
    """Return an asset of north with a device on it."""
    return builders.make_van(north, "van")


@pytest.fixture
def api() -> Api:
    """Return a function that gives the API as a user meets it, by token."""

    def as_user(user: User) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {builders.make_api_token(user)}")
        return client

    return as_user


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """Return a running SMTP server that our mails go to."""
    handler = MailServer()
    controller = serve(handler)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 1
    yield handler
    controller.stop()


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()


@pytest.fixture(autouse=True)
def _fresh_memory() -> None:
    """Forget what the process holds of the database: each test starts from another one."""
    replace_memory_of_process(RoadMemory())
    last_check.forget()
