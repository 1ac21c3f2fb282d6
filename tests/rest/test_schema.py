"""The OpenAPI document describes each operation, each member and each representation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from core.rest.openapi import GEOJSON, operations_of

DOCUMENT: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS = {f"{method} {path}": each for path, method, each in operations_of(DOCUMENT)}


def members_of(name: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for member, described in schema.get("properties", {}).items():
        yield f"{name}.{member}", described
        yield from members_of(f"{name}.{member}", described)


@pytest.mark.field("H-25")
def test_each_operation_has_a_summary_of_its_own() -> None:
    summaries = {name: each["summary"] for name, each in OPERATIONS.items()}

    assert [name for name, summary in summaries.items() if not 5 < len(summary) < 100] == []
    assert len(set(summaries.values())) == len(summaries)


@pytest.mark.field("H-25")
def test_each_member_is_described() -> None:
    members = [each for name, schema in SCHEMAS.items() for each in members_of(name, schema)]

    assert len(members) > 600
    assert [name for name, member in members if not member.get("description")] == []


@pytest.mark.field("H-25")
def test_each_parameter_is_described() -> None:
    parameters = [
        (f"{name} {parameter['name']}", parameter)
        for name, each in OPERATIONS.items()
        for parameter in each.get("parameters", ())
    ]

    assert [name for name, parameter in parameters if not parameter.get("description")] == []


@pytest.mark.field("H-25")
def test_an_answer_in_geojson_is_a_feature_or_a_collection_of_them() -> None:
    kinds = {
        name: kind_of(content[GEOJSON]["schema"])
        for name, each in OPERATIONS.items()
        for content in (answer.get("content", {}) for answer in each["responses"].values())
        if GEOJSON in content
    }

    assert kinds["get /api/v1/geofences/"] == "FeatureCollection"
    assert kinds["get /api/v1/geofences/{id}/"] == "Feature"
    assert set(kinds.values()) == {"Feature", "FeatureCollection"}


def kind_of(schema: dict[str, Any]) -> str:
    type_of = SCHEMAS[schema["$ref"].rpartition("/")[2]]["properties"]["type"]
    if "allOf" in type_of:
        type_of = SCHEMAS[type_of["allOf"][0]["$ref"].rpartition("/")[2]]
    (kind,) = type_of["enum"]
    return str(kind)
