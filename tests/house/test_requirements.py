"""What the server runs on is what it imports."""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BESIDES = {"tests", "benchmarks"}
PRODUCT = [file.parent for file in ROOT.glob("*/__init__.py") if file.parent.name not in BESIDES]
# Named in a text that a library resolves: distribution, file, and how the file names it.
NAMED = [
    ("channels-redis", "tracker/settings.py", "channels_redis.pubsub.RedisPubSubChannelLayer"),
    ("daphne", "deploy/local/demo", '"-m", "daphne"'),
    ("django-vite", "tracker/templates/console.html", "{% load django_vite %}"),
    ("uvloop", "tracker/ingest/__main__.py", 'loop="uvloop"'),
    ("whitenoise", "tracker/settings.py", "whitenoise.middleware.WhiteNoiseMiddleware"),
]


def distributions():
    """The distributions that run.in asks for."""
    lines = (ROOT / "deploy" / "requirements" / "run.in").read_text().splitlines()
    return [re.split(r"[\[<>=~ ]", line)[0] for line in lines if line and not line.startswith("#")]


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def imported():
    """The top-level modules that the product imports."""
    names = set()
    for file in (file for package in PRODUCT for file in package.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return {name.split(".")[0] for name in names}


def test_every_requirement_is_imported_or_named():
    found = packages_distributions()
    used = {plain(name) for module in imported() for name in found.get(module, ())}

    assert {plain(name) for name in distributions()} - used == {name for name, *_ in NAMED}


@pytest.mark.parametrize(("name", "file", "text"), NAMED)
def test_what_is_only_named_is_named_where_the_table_says(name, file, text):
    assert text in (ROOT / file).read_text()
