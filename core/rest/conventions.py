"""Constants that all doors of the REST API share."""

from __future__ import annotations

# No cache on the way may keep an answer that shows a token.
NO_STORE = {"Cache-Control": "no-store"}
METHODS = ["get", "post", "patch", "delete", "head", "options"]
