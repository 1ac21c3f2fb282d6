"""Names and docstrings say which thing they are about: the part of it that a program can check."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Folders of Python that are no part of the product.
BESIDES = {"tests", "benchmarks"}

CLASS_NAMES_OF_DJANGO = {
    "Meta": "the options of a model or serializer, in its class",
    "Command": "the class that Django looks for in the file of a command",
}
FILE_NAMES_OF_PYTHON_AND_DJANGO = {
    "__init__.py": "a package",
    "__main__.py": "a package that can be run",
    "actions.py": "the writes of an app",
    "admin.py": "the part of an app that Django's admin looks for",
    "api.py": "the REST API of an app",
    "apps.py": "the configuration of an app, which Django looks for",
    "asgi.py": "what an ASGI server is started with: the web process, and the door",
    "models.py": "the tables of an app, which Django looks for",
    "serializers.py": "the serializers of an app",
    "tasks.py": "the tasks of an app, which Celery looks for",
}
# Words that point at a thing instead of naming it; and those that do so as an object, too.
SUBJECTS = (
    "everybody|everything|how|it|nobody|nothing|one|somebody|something|that|these|they|this|those"
    "|what|whatever|when|where|whether|which|who|whoever|whom|whose|why"
)
OBJECTS = "those|what|whatever|who|whoever|whom"
POINTS = re.compile(rf"({SUBJECTS})\b|(Return|Yield)s? ({OBJECTS})\b", re.IGNORECASE)
# Of the things that may be done with words we notify, publish, report, answer and render.
NO_VERBS = {"anew", "tell", "tells", "told"}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def product_files() -> list[Path]:
    """Return the Python files of the product, without migrations."""
    packages = {file.parent for file in ROOT.glob("*/__init__.py")}
    return sorted(
        file
        for package in packages
        if package.name not in BESIDES
        for file in package.rglob("*.py")
        if "migrations" not in file.parts
    )


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def place_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def doubled(places: dict[str, list[str]], exempt: dict[str, str]) -> dict[str, list[str]]:
    """Return names that are used in several places, with these."""
    return {name: where for name, where in places.items() if len(where) > 1 and name not in exempt}


def choices_of_models(tree: ast.Module) -> set[ast.ClassDef]:
    """Return the TextChoices in a model: their full name begins with that of the model."""
    return {
        inner
        for outer in ast.walk(tree)
        if isinstance(outer, ast.ClassDef)
        for inner in outer.body
        if isinstance(inner, ast.ClassDef)
        and [ast.unparse(base) for base in inner.bases] == ["models.TextChoices"]
    }


def definitions(tree: ast.Module) -> Iterator[Definition]:
    return (node for node in ast.walk(tree) if isinstance(node, Definition))


def first_lines(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the first line of each docstring of a file, with the name of what it documents."""
    tree = tree_of(file)
    for node in (tree, *definitions(tree)):
        docstring = ast.get_docstring(node)
        if docstring:
            yield getattr(node, "name", "the module"), docstring.splitlines()[0]


def test_every_class_name_is_used_once():
    places: dict[str, list[str]] = defaultdict(list)
    for file in product_files():
        tree = tree_of(file)
        qualified = choices_of_models(tree)
        for node in definitions(tree):
            if isinstance(node, ast.ClassDef) and node not in qualified:
                places[node.name].append(place_of(file))

    assert doubled(places, CLASS_NAMES_OF_DJANGO) == {}


def test_every_file_name_is_used_once():
    places: dict[str, list[str]] = defaultdict(list)
    for file in product_files():
        places[file.name].append(place_of(file))

    assert doubled(places, FILE_NAMES_OF_PYTHON_AND_DJANGO) == {}


def test_every_docstring_begins_by_naming_its_thing():
    pointing = [
        f"{place_of(file)}: {name}: {line}"
        for file in product_files()
        for name, line in first_lines(file)
        if POINTS.match(line)
    ]

    assert pointing == []


@pytest.mark.parametrize(
    ("line", "points"),
    [
        ("What came of it for whoever asked.", True),
        ("Return what came of it.", True),
        ("Whether it is late.", True),
        ("One more.", True),
        ("The receipt of each delivery, in order.", False),
        ("Return the receipt of each delivery, in order.", False),
        ("Return whether a crossing is late.", False),
        ("Onwards, in order.", False),
    ],
)
def test_a_pointing_word_is_seen_at_the_beginning(line: str, points: bool):
    assert bool(POINTS.match(line)) == points


def test_functions_have_verbs_of_the_house():
    riddles = [
        f"{place_of(file)}: {node.name}"
        for file in product_files()
        for node in definitions(tree_of(file))
        if NO_VERBS & set(node.name.lower().split("_"))
    ]

    assert riddles == []
