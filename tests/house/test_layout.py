"""The layout says where everything is: folders, floors and names."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Folders of Python that no floor holds: they are started by hand, or start the product.
BESIDES = {"tests", "benchmarks"}


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


def test_every_line_of_what_decides_is_covered_by_tests():
    measured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
    deciding = contract("What decides is plain Python")["source_modules"]

    assert measured["run"]["branch"] is True
    assert measured["report"]["fail_under"] == 100
    assert set(measured["run"]["include"]) == {files_of(module) for module in deciding}
