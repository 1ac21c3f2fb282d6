"""What every door of the REST API has in common."""

from __future__ import annotations

# An answer that shows a token is kept by nobody on the way.
NO_STORE = {"Cache-Control": "no-store"}
METHODS = ["get", "post", "patch", "delete", "head", "options"]
