from __future__ import annotations

from typing import Any

import pytest

from tests.outbox.scenes import KIND


@pytest.fixture(autouse=True)
def _invitations(settings: Any) -> None:
    """Have the outbox know the kind of notification that these tests send."""
    settings.OUTBOX_RENDERERS = {KIND: "tests.outbox.scenes.render"}
