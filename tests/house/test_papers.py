"""What the papers of the house say, and what is there."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from django.conf import global_settings

ROOT = Path(__file__).parents[2]
# Names of other machines' places that must not get into a file that everybody has.
FOREIGN = re.compile(
    r"(?<![\w.])/(?:root|work|home/\w+)/\w|py(?:pi)\.org|registry\.npm(?:js)|python(?:hosted)"
)
TEXTS = ("*.py", "*.md", "*.toml", "*.yml", "*.yaml", "*.in", "*.txt", "*.json", "*.ts", "*.tsx")
# How the settings begin that libraries read. Those of Django are known by its defaults.
READ_BY_LIBRARIES = (
    "ASGI_APPLICATION", "CELERY_", "CHANNEL_LAYERS", "CONTENT_SECURITY_POLICY", "DJANGO_VITE",
    "REST_FRAMEWORK", "ROOT_URLCONF", "SPECTACULAR_SETTINGS", "UNFOLD", "WHITENOISE_",
)  # fmt: skip
SKIPPED = {"node_modules", ".venv", ".local", "dist", ".git", "static", "fixtures"}


def settings_read():
    """The names that tracker/settings.py reads from the environment."""
    tree = ast.parse((ROOT / "tracker" / "settings.py").read_text())
    return {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def settings_assigned():
    """The names that tracker/settings.py gives a value."""
    tree = ast.parse((ROOT / "tracker" / "settings.py").read_text())
    targets = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {name for name in targets if name.isupper()}


def names_used(paths):
    """The names that these Python files read, as attributes or by themselves."""
    return {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load)
    }


def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def requirement_lines():
    for file in sorted((ROOT / "deploy" / "requirements").glob("*.in")):
        for line in file.read_text().splitlines():
            if line and not line.startswith(("#", "-")):
                yield pytest.param(line, id=f"{file.stem}:{line.split()[0]}")


def texts():
    for pattern in TEXTS:
        for file in ROOT.rglob(pattern):
            if not SKIPPED & set(file.relative_to(ROOT).parts):
                yield file


def test_every_setting_is_in_the_settings_page():
    page = (ROOT / "docs" / "settings.md").read_text()

    assert {name for name in settings_read() if f"`{name}`" not in page} == set()


def test_the_settings_page_names_no_setting_that_is_not_read():
    page = (ROOT / "docs" / "settings.md").read_text().split("## Of the Makefile only")[0]
    named = set(re.findall(r"^\| `([A-Z_]+)`", page, flags=re.MULTILINE))

    assert named - settings_read() == set()


def test_every_setting_is_read_by_us_or_by_a_library():
    besides = {"tests", "benchmarks"}
    packages = (file.parent for file in ROOT.glob("*/__init__.py"))
    product = (package for package in packages if package.name not in besides)
    ours = names_used(file for package in product for file in package.rglob("*.py"))
    unread = settings_assigned() - ours - set(dir(global_settings))

    assert {name for name in unread if not name.startswith(READ_BY_LIBRARIES)} == set()


@pytest.mark.parametrize("line", list(requirement_lines()))
def test_each_library_says_why(line):
    assert re.search(r"\S+\s+# \w", line)


@pytest.mark.parametrize("name", ["run", "dev", "tools", "node"])
def test_lock_files_have_hashes_and_name_no_index(name):
    lock = (ROOT / "deploy" / "requirements" / f"{name}.txt").read_text()
    pinned = re.findall(r"^[a-z0-9].*==.* \\$", lock, flags=re.MULTILINE)

    assert pinned
    assert "--hash=sha256:" in lock
    assert "--index-url" not in lock
    assert "--find-links" not in lock


def test_no_file_names_a_place_on_somebodys_machine():
    guilty = {
        str(file.relative_to(ROOT))
        for file in texts()
        if file != Path(__file__) and FOREIGN.search(file.read_text(errors="replace"))
    }

    assert guilty == set()


def test_the_containers_run_the_processes_of_the_operations_page():
    page = (ROOT / "docs" / "operations.md").read_text()
    documented = set(re.findall(r"^\| (web|ingest|worker|beat) \|", page, flags=re.MULTILINE))

    assert documented == {"web", "ingest", "worker", "beat"}
    assert documented <= compose()["services"].keys()


def test_the_containers_never_weaken_a_promise():
    command = " ".join(compose()["services"]["postgres"]["command"])

    assert not re.search(r"fsync|synchronous_commit|full_page_writes", command)


@pytest.mark.field("H-20")
def test_the_containers_have_no_secret_that_everybody_knows():
    text = (ROOT / "docker-compose.yml").read_text()
    secrets = re.findall(r"\$\{([A-Z_]*(?:PASSWORD|SECRET|KEY|TOKEN)[A-Z_]*)(.*?)\}", text)
    given = {
        value
        for service in compose()["services"].values()
        for name, value in (service.get("environment") or {}).items()
        if re.search("PASSWORD|SECRET|KEY|TOKEN", name)
    }

    assert {name for name, _ in secrets} == {"SECRET_KEY", "POSTGRES_PASSWORD"}
    assert all(rest.startswith(":?") for _, rest in secrets), "compose is to refuse to start"
    assert all(str(value).startswith("${") for value in given)
    assert not re.search(r"://[^$\s/@]+:[^$\s/@]+@", text)


@pytest.mark.field("H-9")
@pytest.mark.parametrize("file", ["docker-compose.yml", "deploy/Dockerfile", "deploy/local/demo"])
def test_daphne_is_started_without_its_log_of_addresses(file):
    words = re.findall(r"[\w.=:-]+", (ROOT / file).read_text())

    assert "--verbosity=0" in words or ("--verbosity", "0") in pairwise(words)


def test_every_make_target_of_the_papers_exists():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    papers = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]

    named = {
        target for paper in papers for target in re.findall(r"`make ([a-z-]+)", paper.read_text())
    }

    assert named - targets == set()


def test_links_between_the_papers_lead_somewhere():
    for paper in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for link in re.findall(r"\]\(([^)#]+)", paper.read_text()):
            assert (paper.parent / link).exists(), f"{paper.name} links to {link}"


def test_files_that_the_papers_name_are_there():
    """The decisions are left out: an accepted page keeps the names of its day."""
    papers = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    files = [f"/{file.relative_to(ROOT)}" for file in texts()]

    lost = {
        (paper.name, name)
        for paper in papers
        for name in re.findall(r"`([\w./-]+\.(?:py|tsx?|md|toml))`", paper.read_text())
        if not any(file.endswith(f"/{name}") for file in files)
    }

    assert lost == set()
