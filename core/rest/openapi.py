"""The OpenAPI document: summaries, GeoJSON, problem documents, `Idempotency-Key`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc

from core.rest.geojson import GeoJSONRenderer
from core.rest.problem import CONTENT_TYPE

Document = dict[str, Any]

PROBLEM_SCHEMA: Document = {
    "type": "object",
    "description": "RFC 9457, with our members code and errors.",
    "required": ["type", "title", "status", "detail", "instance", "code", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "address of its explanation"},
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
FAULT_SCHEMA: Document = {
    "type": "object",
    "required": ["pointer", "code", "detail"],
    "properties": {
        "pointer": {"type": "string", "description": "RFC 6901, into the body; or /query/<name>"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}
REFUSAL: Document = {
    "description": "Refused, or not now",
    "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
IDEMPOTENCY_KEY: Document = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "The same key, path and body within 24 hours are carried out once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}
GEOJSON = GeoJSONRenderer.media_type
# What the generic views do, and of how many.
DONE_BY_ACTION = {
    "list": "List the {many}",
    "retrieve": "Read one {one}",
    "create": "Add one {one}",
    "partial_update": "Change one {one}",
    "destroy": "Delete one {one}",
}
_VOWELS = ("a", "e", "i", "o")


class DescribedSchema(AutoSchema):
    """Summarises an operation by the first sentence of its own docstring.

    An operation of a generic view has none: it says what it does to the view's resource.
    """

    def get_summary(self) -> str:
        """Return no text where nothing is known; `tests/rest/test_schema.py` names such."""
        return self._first_sentence() or self._of_generic_view()

    def _first_sentence(self) -> str:
        action = getattr(self.view, "action", None) or self.method.lower()
        text = get_doc(getattr(self.view, action, None)) or _without_action(self.view)
        return re.split(r"[.:](?:\s|$)", " ".join(text.split()), maxsplit=1)[0]

    def _of_generic_view(self) -> str:
        name = str(getattr(self.view, "basename", "object"))
        done = DONE_BY_ACTION.get(str(getattr(self.view, "action", "")), "")
        return done.format(one=name, many=f"{name}s").replace("one ", _article(name))


def _without_action(view: Any) -> str:
    """Return the docstring of a view that answers one method in one way."""
    return "" if hasattr(view, "action") else get_doc(type(view))


def _article(noun: str) -> str:
    return "an " if noun.startswith(_VOWELS) else "a "


# --- the finished document ---------------------------------------------------------


def with_problems(result: Document, **_: Any) -> Document:
    """Add the common answers and parameters to a finished document of drf-spectacular."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"Problem": PROBLEM_SCHEMA, "Fault": FAULT_SCHEMA}
    for _path, method, operation in operations_of(result):
        operation["responses"].setdefault("default", REFUSAL)
        if method == "post":
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    return result


def with_geojson(result: Document, **_: Any) -> Document:
    """Describe answers in GeoJSON as features, where drf-spectacular repeats the JSON answer."""
    schemas = result["components"]["schemas"]
    for _path, _method, operation in operations_of(result):
        for answer in operation["responses"].values():
            content = answer.get("content", {})
            plain, geojson = content.get("application/json"), content.get(GEOJSON)
            if plain and geojson == plain and not _is_feature(plain["schema"], schemas):
                content[GEOJSON] = {"schema": _as_features(plain["schema"], schemas)}
    return result


def operations_of(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield path, method and description of each operation."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _is_feature(schema: Document, schemas: Document) -> bool:
    """Return whether the JSON answer is GeoJSON, too."""
    members = schemas[_name_in(schema)]["properties"].keys()
    return bool({"type", "geometry", "properties"} <= members)


def _name_in(reference: Document) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _as_features(schema: Document, schemas: Document) -> Document:
    """Return the reference to the GeoJSON twin of a JSON answer, which is made if need be."""
    name = _name_in(schema)
    members = schemas[name]["properties"]
    row = _name_in(members["results"]["items"]) if "results" in members else name
    schemas.setdefault(f"{row}Feature", _feature_of(schemas[row]))
    if row == name:
        return _reference(f"{row}Feature")
    schemas.setdefault(f"{name}Features", _collection_of(_reference(f"{row}Feature"), members))
    return _reference(f"{name}Features")


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _feature_of(row: Document) -> Document:
    members = row["properties"]
    apart = {"id", "geometry"} & members.keys()
    geometry = members.get("geometry") or {
        "type": "object",
        "nullable": True,
        "description": "a Point; null without a fix",
        "required": ["type", "coordinates"],
        "properties": {
            "type": {"type": "string", "enum": ["Point"], "description": "kind of the geometry"},
            "coordinates": {
                "type": "array",
                "items": {"type": "number"},
                "minItems": 2,
                "maxItems": 2,
                "description": "longitude, latitude",
            },
        },
    }
    properties = {
        "type": "object",
        "description": "what the JSON answer says, without what stands beside it here",
        "required": [name for name in row.get("required", ()) if name not in apart],
        "properties": {name: member for name, member in members.items() if name not in apart},
    }
    beside: Document = {"geometry": geometry, "properties": properties}
    if "id" in apart:
        beside = {"id": members["id"], **beside}
    return _geojson_object("Feature", beside)


def _collection_of(feature: Document, page: Document) -> Document:
    features = {"type": "array", "items": feature, "description": "rows of this page"}
    links: Document = {name: page[name] for name in ("next", "previous") if name in page}
    return _geojson_object("FeatureCollection", {"features": features}, links)


def _geojson_object(kind: str, members: Document, more: Document | None = None) -> Document:
    kinds = {"type": "string", "enum": [kind], "description": "kind of the GeoJSON object"}
    return {
        "type": "object",
        "description": "GeoJSON (RFC 7946); coordinates are longitude first.",
        "required": ["type", *members],
        "properties": {"type": kinds, **members, **(more or {})},
    }


def described(result: Document, meaning_of: Mapping[str, str]) -> Document:
    """Give each member and parameter without a description the meaning of its name."""
    for schema in result["components"]["schemas"].values():
        _describe_members(schema, meaning_of)
    for _path, _method, operation in operations_of(result):
        for parameter in operation.get("parameters", ()):
            _describe(parameter, parameter["name"], meaning_of)
    return result


def _describe_members(schema: Document, meaning_of: Mapping[str, str]) -> None:
    members = schema.get("properties", {})
    for name in members:
        if "$ref" in members[name]:
            # Whatever stands beside a reference is ignored, by OpenAPI 3.0.
            members[name] = {"allOf": [members[name]]}
        member = members[name]
        _describe(member, name, meaning_of)
        _describe_members(member, meaning_of)


def _describe(member: Document, name: str, meaning_of: Mapping[str, str]) -> None:
    said = member.get("description", "")
    # The framework's own words say no more than the type.
    if (not said or said.startswith("A unique integer value")) and name in meaning_of:
        member["description"] = meaning_of[name]
