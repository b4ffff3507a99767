"""Where other people's clients live: virtual environments, a node_modules and a Go binary, each made once a lock."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
NPM = HERE / "npm"


def python_clients() -> Path:
    """The interpreter that can import the Python clients of the origin's time."""
    # python-instagram comes as source only: built by the tools just installed, not by whatever is newest.
    only_built = ["--no-binary", "python-instagram", "--use-pep517", "--no-build-isolation"]
    return _python(".venv-interop", [("build_tools.lock", []), ("old_clients.lock", only_built)])


def python_clients_of_today() -> Path:
    """The interpreter that can import the Python clients of today."""
    return _python(".venv-interop-today", [("clients_of_today.lock", [])])


def _python(name: str, locks: list[tuple[str, list[str]]]) -> Path:
    """A virtual environment with what the locks name, one after the other, each with its own options."""
    place = HERE / name
    interpreter = place / "bin" / "python"
    mark = _mark(*(HERE / lock for lock, _ in locks), place=place, made_with=sys.version)
    with _turn("python"):
        if _made(place) == mark and interpreter.exists():
            return interpreter
        _run([sys.executable, "-m", "venv", "--clear", str(place)])
        install = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        install += ["--no-input", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        for lock, options in locks:
            _run([*install, *options, "-r", str(HERE / lock)])
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


def golang_client(source: Path) -> Path:
    """A Go driver, built on Debian's golang.org/x/oauth2: no module proxy, nothing but what the packages hold."""
    place = HERE / ".go-interop" / source.stem
    built, go = place / "driver", _program("go")
    mark = _mark(source, place=place, made_with=go)
    with _turn("go"):
        if _made(place) == mark and built.exists():
            return built
        settings = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOPROXY": "off"}
        settings |= {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOCACHE": str(place.parent / "cache")}
        _run([go, "build", "-o", str(built), str(source)], settings)
        (place / "made-from").write_text(mark)
    return built


def command(driver: Path) -> list[str]:
    """What runs a driver of today's clients."""
    match driver.suffix:
        case ".py":
            return [str(python_clients_of_today()), str(driver)]
        case ".go":
            return [str(golang_client(driver))]
    npm_clients()
    return [node(), str(driver)]


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


def _run(command: list[str], more: Mapping[str, str] | None = None) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= more or {}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
