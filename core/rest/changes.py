"""What an update begins with, and what of it is to change."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import BaseSerializer


def present(serializer: BaseSerializer[Any]) -> Any:
    """Return the row that an update began with."""
    assert serializer.instance is not None
    return serializer.instance


def changes_of(serializer: BaseSerializer[Any], *fixed: str) -> dict[str, Any]:
    """Return what is to change. What is `fixed` at creation is ignored, as the API page says."""
    return {key: v for key, v in serializer.validated_data.items() if key not in fixed}
