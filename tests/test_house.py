"""The house keeps its own rules: imports, names, sizes, settings."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

HOUSE = Path(__file__).resolve().parent.parent
SERVICES = ["catalog", "carts", "orders", "accounts"]
PACKAGES = ["store", *SERVICES, "audit"]
README = HOUSE / "README.md"

# A newcomer who knows one service finds his way in the other three.
IN_EVERY_SERVICE = {"admin", "apps", "domain", "metrics", "repositories", "serializers", "services"}
IN_EVERY_SERVICE |= {"urls", "views"}
CALLS_OTHERS = {"carts", "orders", "accounts"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> list[Path]:
    files = [file for package in PACKAGES for file in (HOUSE / package).rglob("*.py")]
    return [file for file in files if file.read_text().strip()]


def place(file: Path, node: ast.AST | None = None) -> str:
    line = f":{getattr(node, 'lineno', 0)}" if node else ""
    return f"{file.relative_to(HOUSE)}{line}"


def nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text()))


def written(file: Path, first: int = 1, last: int | None = None) -> int:
    """How many lines between two have something in them."""
    return sum(1 for line in file.read_text().splitlines()[first - 1 : last] if line.strip())


def test_the_import_contracts_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")

    outcome = subprocess.run(
        [command, "--no-cache"], cwd=HOUSE, capture_output=True, text=True, check=False
    )

    assert outcome.returncode == 0, outcome.stdout
    assert "0 broken" in outcome.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_the_same_things_have_the_same_names_in_every_service(service: str) -> None:
    names = {file.stem for file in (HOUSE / service).iterdir() if not file.name.startswith("_")}
    expected = IN_EVERY_SERVICE | ({"clients"} if service in CALLS_OTHERS else set())

    assert expected - names == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_has_no_name_for_another_service_calls_none(service: str) -> None:
    has_clients = (HOUSE / service / "clients.py").exists()

    assert has_clients == (service in CALLS_OTHERS)


def bodies() -> list[tuple[int, str]]:
    """The length of every function without its signature and docstring, and where it is."""
    found = []
    for file in modules():
        for node in nodes(file):
            if isinstance(node, Function):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = written(file, body[0].lineno, node.end_lineno) if body else 0
                found.append((length, f"{place(file, node)} {node.name}"))
    return found


def test_functions_are_short() -> None:
    lengths = bodies()

    assert [function for function in lengths if function[0] > 25] == []
    assert median(length for length, _ in lengths) <= 8


def test_modules_are_short() -> None:
    lengths = [(written(file), place(file)) for file in modules()]

    assert [module for module in lengths if module[0] > 300] == []
    assert median(length for length, _ in lengths) <= 80


def test_every_module_says_in_its_first_line_what_it_holds() -> None:
    silent = [
        place(file) for file in modules() if not ast.get_docstring(ast.parse(file.read_text()))
    ]

    assert silent == []


def test_nothing_is_left_to_do() -> None:
    words = re.compile(r"\b(?:TODO|FIXME|XXX)\b|^\s*(?:breakpoint|print)\(", re.MULTILINE)

    left = {place(file): words.findall(file.read_text()) for file in modules()}

    assert {where: found for where, found in left.items() if found} == {}


def test_no_lock_file_names_where_packages_come_from() -> None:
    locks = list(HOUSE.glob("*.lock"))
    told = [
        lock.name
        for lock in locks
        for word in ("://", "index-url", "find-links")
        if word in lock.read_text()
    ]

    assert locks
    assert told == []


def test_every_locked_package_has_its_hashes() -> None:
    for lock in HOUSE.glob("*.lock"):
        text = lock.read_text().replace("\\\n", " ")
        pinned = [line for line in text.splitlines() if "==" in line and not line.startswith(" ")]

        assert pinned
        assert [line.split()[0] for line in pinned if "--hash=sha256:" not in line] == []


def reads_of_the_environment(file: Path) -> Iterator[ast.AST]:
    for node in nodes(file):
        is_attribute = isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
        is_import = isinstance(node, ast.ImportFrom) and node.module == "os"
        if is_attribute or is_import:
            yield node


def sets_the_settings_module(file: Path) -> bool:
    """Whether the one use of the environment is to say which settings are meant."""
    uses = file.read_text().count("os.environ")
    return uses == file.read_text().count('os.environ.setdefault("DJANGO_SETTINGS_MODULE", ') == 1


def test_only_the_settings_read_the_environment() -> None:
    others = [file for file in modules() if "settings" not in file.parts]
    readers = {place(file) for file in others if any(reads_of_the_environment(file))}

    assert readers <= {"store/asgi.py"}
    assert sets_the_settings_module(HOUSE / "store" / "asgi.py")
    assert sets_the_settings_module(HOUSE / "manage.py")


def settings_read() -> dict[str, str]:
    """Every name that is read from the environment, and where."""
    read = {}
    for file in (HOUSE / "store" / "settings").glob("*.py"):
        for node in nodes(file):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.args[0].value
                if isinstance(name, str) and name.isupper():
                    read[name] = place(file, node)
    return read


def test_the_settings_that_are_read_can_be_found_at_all() -> None:
    assert {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "DEMO", "BACKEND_URL"} <= settings_read().keys()


@pytest.mark.skipif(not README.exists(), reason="README.md is not written yet")
def test_every_setting_stands_in_the_readmes_table() -> None:
    table = "\n".join(line for line in README.read_text().splitlines() if line.startswith("|"))

    missing = {name: at for name, at in settings_read().items() if f"`{name}`" not in table}

    assert missing == {}
