"""The rules of the house that a machine can hold: who imports whom, sizes, names, docstrings, profiles as data."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
FILES = sorted(SOURCE.rglob("*.py"))

FILE_LINES = 300
FUNCTION_LINES = 40
SAYS_NOTHING = re.compile(
    r"(utils?|helpers?|common|misc|managers?|handlers?|services?|base_.*|.*_(impl|utils?|helpers?|manager|handler|service))"
)
POSTPONED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(), str(file))


def where(file: Path, line: int = 1) -> str:
    return f"{file.relative_to(ROOT)}:{line}"


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    for file in FILES:
        for node in ast.walk(tree(file)):
            yield file, node


def test_there_is_something_to_hold() -> None:
    assert SOURCE / "valetkey/__init__.py" in FILES


def test_imports_go_down_only() -> None:
    # in a process of its own: import-linter sets up logging and switches off every logger it finds
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stdout + found.stderr


def test_files_are_short() -> None:
    lines = {file: len(file.read_text().splitlines()) for file in FILES}
    assert [f"{where(file)} has {count} lines" for file, count in lines.items() if count > FILE_LINES] == []


def test_functions_are_short() -> None:
    long = []
    for file, node in nodes():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            count = node.end_lineno - node.lineno + 1
            if count > FUNCTION_LINES:
                long.append(f"{where(file, node.lineno)} {node.name} has {count} lines")
    assert long == []


def test_every_module_says_its_one_job_in_one_line() -> None:
    """More may follow below an empty line: a drawing, a theory."""

    def told(file: Path) -> bool:
        first, _, rest = (ast.get_docstring(tree(file)) or "").partition("\n")
        return bool(first) and (not rest or rest.startswith("\n"))

    assert [where(file) for file in FILES if not told(file)] == []


def test_names_say_something() -> None:
    places = [*SOURCE.rglob("*.*"), *(folder for folder in SOURCE.rglob("*") if folder.is_dir())]
    ours = [place for place in places if "__pycache__" not in place.parts]
    assert [where(place) for place in ours if SAYS_NOTHING.fullmatch(place.stem)] == []


def asks_which_profile(node: ast.AST) -> bool:
    """`profile.name == ...`, `client.profile != "classic"`, `match profile.name: ...`"""
    match node:
        case ast.Compare():
            asked = [node.left, *node.comparators]
        case ast.Match():
            asked = [node.subject]
        case _:
            return False
    return any(re.search(r"\bprofile\.name$", ast.unparse(side)) for side in asked) or (
        any(isinstance(side, ast.Attribute) and side.attr == "profile" for side in asked)
        and any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in asked)
    )


def test_nobody_asks_for_a_profile_by_name() -> None:
    assert [where(file, node.lineno) for file, node in nodes() if asks_which_profile(node)] == []


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        ('profile.name == "classic"', True),
        ('client.profile.name in ("a", "b")', True),
        ('facts.client.profile != "classic"', True),
        ("match profile.name:\n    case _: pass", True),
        ('profile.pkce == "required"', False),
        ("profiles[client.profile]", False),
        ('client.name == "profile"', False),
    ],
)
def test_a_question_for_a_profile_is_recognised(code: str, asks: bool) -> None:
    assert any(asks_which_profile(node) for node in ast.walk(ast.parse(code))) is asks


OUTWARD = {"aiohttp", "http.client", "httpx2", "requests", "urllib.request", "urllib3"}
# the one door (R20); the demo's own app, which talks to the demo's own server; the guard of other servers that take our
# tokens, which asks from their process
WAYS_OUT = {"server/pinned_request.py", "cli/demo/exchange.py", "cli/demo/stage.py", "resource/sources.py"}


def imported(node: ast.AST) -> set[str]:
    match node:
        case ast.Import():
            return {name.name for name in node.names}
        case ast.ImportFrom(module=str(module)):
            return {module, *(f"{module}.{name.name}" for name in node.names)}
    return set()


def test_there_is_one_door_out() -> None:
    found = {str(file.relative_to(SOURCE / "valetkey")) for file, node in nodes() if imported(node) & OUTWARD}
    assert found == WAYS_OUT


def test_nothing_is_postponed() -> None:
    lines = (
        (file, number, line) for file in FILES for number, line in enumerate(file.read_text().splitlines(), 1)
    )
    assert [
        f"{where(file, number)} {line.strip()}" for file, number, line in lines if POSTPONED.search(line)
    ] == []
