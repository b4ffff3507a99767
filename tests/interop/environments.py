"""Where other people's clients live: a virtual environment and a node_modules of their own, each made once a lock."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
NPM = HERE / "npm"


def python_clients() -> Path:
    """The interpreter that can import the Python clients."""
    place = HERE / ".venv-interop"
    interpreter = place / "bin" / "python"
    tools, clients = HERE / "build_tools.lock", HERE / "old_clients.lock"
    mark = _mark(tools, clients, place=place, made_with=sys.version)
    with _turn("python"):
        if _made(place) == mark and interpreter.exists():
            return interpreter
        _run([sys.executable, "-m", "venv", "--clear", str(place)])
        install = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        install += ["--no-input", "--no-deps", "--require-hashes"]
        _run([*install, "--only-binary", ":all:", "-r", str(tools)])
        # python-instagram comes as source only: built by the tools just installed, not by whatever is newest.
        only_built = ["--only-binary", ":all:", "--no-binary", "python-instagram"]
        _run([*install, *only_built, "--use-pep517", "--no-build-isolation", "-r", str(clients)])
        (place / "made-from").write_text(mark)
    return interpreter


def npm_clients() -> Path:
    """The node_modules folder with the npm clients."""
    place = NPM / "node_modules"
    mark = _mark(NPM / "package-lock.json", place=place, made_with=_program("node"))
    with _turn("npm"):
        if _made(place) == mark:
            return place
        _run([_program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(NPM)])
        (place / "made-from").write_text(mark)
    return place


def node() -> str:
    """The node program; npm_clients() has what it shall load."""
    return _program("node")


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing here; ./dev test installs it"
    return found


def _mark(*locks: Path, place: Path, made_with: str) -> str:
    """Changes when a lock changes, when the folder was moved, and when the interpreter is another."""
    parts = [lock.read_bytes() for lock in locks] + [str(place).encode(), made_with.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _made(place: Path) -> str | None:
    mark = place / "made-from"
    return mark.read_text() if mark.exists() else None


@contextmanager
def _turn(name: str) -> Iterator[None]:
    """One at a time: two test runs may start at once in the same tree."""
    with (HERE / f".{name}.turn").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
