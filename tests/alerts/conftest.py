from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Organisation
from geofence.models import Geofence
from tests.alerts.mail_server import MailServer, serve
from tests.alerts.scenes import make_geofence


@pytest.fixture
def depot(north: Organisation) -> Geofence:
    return make_geofence(north)


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
