"""The layout says where everything is: folders, floors and names."""

import re
import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
# Folders of Python that no floor holds: they are started by hand, or start the product.
BESIDES = {"tests", "benchmarks"}
# Modules without Django that decide nothing, and so need no place in the contract.
ONLY_EDGES = {
    "accounts.openapi_credentials": "describes credentials to drf-spectacular",
    "core.background": "threads and their queues",
    "core.logs": "sets structlog up",
    "core.rest.conventions": "texts of the OpenAPI document",
    "core.rest.problem_types": "texts of the types of problem",
    "geofence.imports.kml_and_gpx": "reads files by an XML library",
    "outbox.channels": "imports the senders",
    "tracker.ingest.door_metrics": "counts for prometheus-client",
    "tracker.ingest.shared_metrics": "the folder of prometheus-client",
    "tracker.ingest.workers": "processes",
    "tracker.intake.buffered_metrics": "counts for prometheus-client",
    "tracker.intake.garbage_collection": "tunes the interpreter",
    "tracker.intake.spool": "files",
    "tracker.web_metrics": "counts for prometheus-client",
}


def packages():
    """Top-level packages of the product."""
    return {file.parent.name for file in ROOT.glob("*/__init__.py")} - BESIDES


def contracts():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def contract(name):
    (named,) = (one for one in contracts()["contracts"] if one["name"] == name)
    return named


def floors():
    layers = contract("Imports point downwards between folders")["layers"]
    return [set(re.split(r"\s*[|:]\s*", layer)) for layer in layers]


def files_of(module):
    path = Path(*module.split("."))
    return f"{path}/*" if (ROOT / path).is_dir() else f"{path}.py"


def test_every_package_is_under_the_contracts():
    assert set(contracts()["root_packages"]) == packages()


def test_every_package_but_the_simulator_has_a_floor():
    assert set().union(*floors()) == packages() - {"simulator"}


def test_the_readme_lists_the_folders_floor_by_floor():
    layout = (ROOT / "README.md").read_text().split("## Layout")[1].split("\n## ")[0]
    rows = [row for row in layout.splitlines() if row.startswith("|")]
    listed = [set(re.findall(r"`(\w+)/`", row)) & packages() for row in rows]
    product = [row for row in listed if row]

    assert product == [*floors(), {"simulator"}]


def test_every_module_without_django_is_under_the_contract_of_plain_python():
    plain = contract("What decides is plain Python")
    graph = grimp.build_graph(
        *(packages() - {"simulator"}), include_external_packages=True, cache_dir=None
    )
    frameworks = {*plain["forbidden_modules"], "psycopg", "redis"}
    without = {
        module
        for module in graph.modules
        if graph.find_modules_directly_imported_by(module)
        and not graph.find_upstream_modules(module) & frameworks
    }
    listed = tuple(f"{module}." for module in plain["source_modules"])

    unlisted = {module for module in without if not f"{module}.".startswith(listed)}

    assert unlisted == ONLY_EDGES.keys()


def test_every_line_of_what_decides_is_covered_by_tests():
    measured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
    deciding = contract("What decides is plain Python")["source_modules"]

    assert measured["run"]["branch"] is True
    assert measured["report"]["fail_under"] == 100
    assert set(measured["run"]["include"]) == {files_of(module) for module in deciding}
