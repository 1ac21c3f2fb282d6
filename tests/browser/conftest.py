"""One server and one browser for all tests of the console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import setup_databases

from tests.browser.console import FRONTEND, Console, Driver, chromium
from tests.browser.world import Server, serving
from tests.ingest.world import copy_of
from tests.ingest.world import test_database as the_test_database

Open = Callable[..., Console]


@pytest.fixture(scope="session")
def driver() -> Iterator[Driver]:
    if not (FRONTEND / "dist" / ".vite" / "manifest.json").exists():
        pytest.fail("the console is not built: run `make install`")
    executable = chromium()
    assert executable, "Chromium is missing: run `make install`"
    driver = Driver(executable)
    yield driver
    driver.close()


@pytest.fixture(scope="session")
def server(
    driver: Driver,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """Return the running server, over a copy of the test database."""
    with django_db_blocker.unblock():
        if not connection.settings_dict["NAME"].startswith("test_"):
            # None of the tests of this run asks for the database of the others.
            setup_databases(0, False, keepdb=True, aliases={"default": None})
        connection.close()
    with (
        copy_of(the_test_database(), "browser") as database,
        serving(database, tmp_path_factory.mktemp("server")) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def session(driver: Driver, server: Server) -> None:
    """Sign in once, as the admin of bootstrap, for all tests that are about something else."""
    admin = server.made["admin"]
    Console(driver, server.url).sign_in(admin["username"], admin["password"])


@pytest.fixture
def signed_in(driver: Driver, server: Server, session: None) -> Open:
    """Return a function that opens a page of the console."""

    def opened(path: str = "/app/map", **given: Any) -> Console:
        return Console(driver, server.url, path=path, is_signed_in=True, **given)

    return opened
