"""What the peers need, installed from the locks beside them into a folder outside the tree."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from servers import HERE

LOCKS = HERE / "peers"


class Missing(Exception):
    """It cannot be had here; the words say why."""


def home(place: Path) -> Path:
    """The folder: ours alone, since what lies in it is run."""
    folder = place / "valetkey-bench-peers"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise Missing(f"{folder} belongs to somebody else")
    return folder


def run(*command: object, cwd: Path | None = None) -> None:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
        raise Missing(f"{command[0]}: {said[-1]}")


def program(name: str, package: str) -> None:
    """A program, from Debian if it is not there."""
    if shutil.which(name):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Missing(f"as root: apt-get install -y --no-install-recommends {package}")
    quiet = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")
    run(*quiet, "update")
    run(*quiet, "install", "-y", "--no-install-recommends", package)


def same(lock: Path, kept: Path) -> bool:
    return kept.exists() and kept.read_bytes() == lock.read_bytes()


def node(folder: Path) -> None:
    """node-oidc-provider and its runtime; no package's own scripts are run."""
    lock, place = LOCKS / "package-lock.json", folder / "node"
    if same(lock, place / "installed.json"):
        return
    program("npm", "npm")
    place.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKS / name, place / name)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=place)
    runtimes = list(place.glob("node_modules/node-linux-*/bin/node"))
    if not runtimes:
        raise Missing("there is no Node runtime for this processor in the lock")
    (place / "runtime").unlink(missing_ok=True)
    (place / "runtime").symlink_to(runtimes[0])
    shutil.copy(lock, place / "installed.json")


def python(folder: Path) -> None:
    """The Python peers, in a virtual environment of their own."""
    lock, place = LOCKS / "requirements.lock", folder / "python"
    if same(lock, place / "installed.lock"):
        return
    run(sys.executable, "-m", "venv", "--clear", place)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-deps")
    strict = ("--only-binary", ":all:", "--require-hashes")
    run(place / "bin/python", "-m", "pip", "install", *quiet, *strict, "-r", lock)
    shutil.copy(lock, place / "installed.lock")


def glewlwyd(folder: Path) -> None:
    """Debian's package."""
    program("glewlwyd", "glewlwyd")


NEEDS: dict[str, Callable[[Path], None]] = {"node": node, "python": python, "glewlwyd": glewlwyd}
