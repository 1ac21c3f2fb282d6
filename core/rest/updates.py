"""The row and the changed fields of a PATCH request."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import BaseSerializer


def row_to_update(serializer: BaseSerializer[Any]) -> Any:
    """Return the row that a request changes."""
    assert serializer.instance is not None
    return serializer.instance


def changes_of(serializer: BaseSerializer[Any], *fixed: str) -> dict[str, Any]:
    """Return the values to change. Fields `fixed` at creation are ignored, as the API says."""
    return {key: v for key, v in serializer.validated_data.items() if key not in fixed}
