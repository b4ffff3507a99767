"""What this machine gives: its cores, what processes take of them, its disk, its hashes, and what is installed."""

import os
import platform
import re
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
TICK = os.sysconf("SC_CLK_TCK")


@contextmanager
def on_cores(*cores: int) -> Iterator[None]:
    """Whatever is started here runs on these cores."""
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


def with_children(pids: Iterable[int]) -> list[int]:
    """These processes and all below them."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parts = stat(int(entry.name))
            if parts:
                below.setdefault(int(parts[1]), []).append(int(entry.name))
    found = list(pids)
    for pid in found:
        found += below.get(pid, [])
    return found


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name; nothing if the process has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def busy() -> float:
    """Seconds of processor time that anybody has used so far, of all cores that we may use."""
    found = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name in {f"cpu{core}" for core in CORES}:
            user, nice, system, _idle, _waiting, *more = map(int, ticks)
            found += user + nice + system + sum(more[:3])
    return found / TICK


def resident(pid: int) -> float:
    """Megabytes that these processes hold, children included."""
    pages = 0
    for one in with_children([pid]):
        parts = stat(one)
        pages += int(parts[21]) if parts else 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def syncs_a_second(folder: Path) -> float:
    """How often a second this disk says that 4 KiB are safe."""
    count, begin = 0, time.perf_counter()
    with (folder / "syncs").open("wb", buffering=0) as file:
        while time.perf_counter() < begin + 0.5:
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            count += 1
    return count / (time.perf_counter() - begin)


def help_seconds() -> float:
    """How long `valetkey --help` takes, the median of nine."""
    command = [sys.executable, "-c", "from valetkey.cli.main import cli; cli(['--help'])"]
    times = []
    for _ in range(9):
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def hashing(seconds: float) -> tuple[float, float]:
    """What argon2 alone makes of this core, with the server's parameters: hashes a second, and us of each."""
    from valetkey.server.passwords import Passwords

    passwords = Passwords()
    kept = passwords.hash_now("a password")
    count, begin, used = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() < begin + seconds:
        assert passwords.verify_now(kept, "a password")
        count += 1
    return count / (time.perf_counter() - begin), (time.process_time() - used) / count * 1e6


def told() -> str:
    """The machine, and what the figures hang on beside us."""
    names = ("uvicorn", "httptools", "uvloop", "asyncpg")
    parts = [f"{name} {version(name)}" for name in names if find_spec(name)]
    models = re.findall(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE) or [
        "unknown"
    ]
    release = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    machine = (time.strftime("%Y-%m-%d"), f"{len(CORES)} cores", models[0], release)
    return ", ".join(
        (*machine, f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}", *parts)
    )
