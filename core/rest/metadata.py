"""The answer to OPTIONS, which is JSON whatever else the view answers in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.metadata import SimpleMetadata
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

if TYPE_CHECKING:
    # The framework imports this module, as its default, while it makes that one.
    from rest_framework.views import APIView


class JSONMetadata(SimpleMetadata):
    def determine_metadata(self, request: Request, view: APIView) -> dict[str, Any]:
        # Chosen for the document of a GET, which a description of the view is not.
        request.accepted_renderer = JSONRenderer()
        request.accepted_media_type = JSONRenderer.media_type
        return dict(super().determine_metadata(request, view))
