"""OpenAPI parts that all operations share: problem documents and `Idempotency-Key`."""

from __future__ import annotations

from typing import Any

from core.rest.problem import CONTENT_TYPE

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457, with our members code and errors.",
    "required": ["type", "title", "status", "detail", "instance", "code", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "urn:request:, and the id of the request"},
        "code": {"type": "string", "description": "see docs/problems.md"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
        "error_count": {
            "type": "integer",
            "description": "where there are more than the hundred in `errors`",
        },
    },
}
FAULT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["pointer", "code", "detail"],
    "properties": {
        "pointer": {"type": "string", "description": "RFC 6901, into the body; or /query/<name>"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}
REFUSAL: dict[str, Any] = {
    "description": "Refused, or not now",
    "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
IDEMPOTENCY_KEY: dict[str, Any] = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "The same key, path and body within 24 hours are carried out once.",
    "schema": {"type": "string", "maxLength": 255},
}


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the common answers and parameters to a finished document of drf-spectacular."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"Problem": PROBLEM_SCHEMA, "Fault": FAULT_SCHEMA}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            operation["responses"].setdefault("default", REFUSAL)
            if method == "post":
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    return result
