"""SIGHUP: settings and program are read anew, under load, and no request fails."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.load import loading
from tests.cli.serving import Serving, alive
from tests.waiting import PATIENCE, becomes, until

ASKS = b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


@pytest.fixture
def database(fresh_sqlite: Path) -> str:
    return f"sqlite:///{fresh_sqlite}"


def says(toml: Path, name: str, workers: int, more: str = "") -> None:
    writes(toml, f'name = "{name}"\n{more}\n[server]\nworkers = {workers}\n')


def writes(file: Path, text: str) -> None:
    file.write_text(text)


def reload(server: Serving) -> None:
    server.process.send_signal(signal.SIGHUP)


@contextmanager
def serving(
    database: str | None, toml: Path, workers: int, more: str = ""
) -> Iterator[tuple[Serving, set[int]]]:
    """A server by the name of Before, and those of its workers that are there from the start."""
    says(toml, "Before", workers, more)
    with Serving(database, "--config", str(toml)) as server:
        until(lambda: len(server.children()) == workers)
        yield server, server.children()


@pytest.mark.parametrize(("workers", "times"), [(1, 3), (2, 10)])
async def test_under_load_no_request_fails(database: str, toml: Path, workers: int, times: int) -> None:
    with serving(database, toml, workers) as (server, first):
        async with loading(server.port) as load:
            for number in range(1, times + 1):
                says(toml, f"Name {number}", workers)
                reload(server)
                await becomes(lambda number=number: len(server.said("reloaded")) == number)
                await load.more(50)
            await becomes(lambda: len(server.children()) == workers)  # those before have left
            assert not server.children() & first
            assert load.failures == [] and load.answers >= 50 * times
        assert f"Name {times}".encode() in server.get("/accounts/login/")[1]
        assert server.ends() == 0
    assert [line["event"] for line in server.lines if line["level"] in ("warning", "error")] == []


async def test_the_number_of_workers_changes_too(database: str, toml: Path) -> None:
    says(toml, "One", 1)
    with Serving(database, "--config", str(toml)) as server:
        async with loading(server.port) as load:
            for count in (3, 1, 2):
                says(toml, "More", count)
                reload(server)
                await becomes(lambda count=count: len(server.children()) == count)
                await load.more(50)
            assert load.failures == []


BROKEN = (
    ("name = ", "cannot read "),
    ("nmae = 'x'", "in the settings: "),
    ("[apps]\nprofile = 'none'", "apps.profile: must be one of "),
    ("database = 'sqlite:////nowhere/at/all.db'", "database: cannot be used: "),
)


async def test_settings_that_are_wrong_change_nothing(fresh_sqlite: Path, toml: Path) -> None:
    with serving(None, toml, 2, f'database = "sqlite:///{fresh_sqlite}"') as (server, first):
        async with loading(server.port) as load:
            for number, (broken, words) in enumerate(BROKEN):
                writes(toml, broken)
                reload(server)
                await becomes(lambda number=number: len(server.said("reload_failed")) > number)
                assert words in server.said("reload_failed")[number]["reason"]
            await load.more(50)
            assert load.failures == [] and server.children() == first
        says(toml, "After", 1, f'database = "sqlite:///{fresh_sqlite}"')
        reload(server)
        until(lambda: b"After" in server.get("/accounts/login/")[1])
        assert server.ends() == 0
    assert {line["event"] for line in server.lines if line["level"] == "error"} == {"reload_failed"}


def test_a_file_that_is_gone_changes_nothing(
    fresh_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody named it, but it was there at the start; without it another database would be served."""
    monkeypatch.chdir(tmp_path)
    says(Path("valetkey.toml"), "Before", 1, f'database = "sqlite:///{fresh_sqlite}"')
    with Serving(None) as server:
        Path("valetkey.toml").unlink()
        reload(server)
        until(lambda: bool(server.said("reload_failed")))
        assert "cannot read valetkey.toml" in server.said("reload_failed")[0]["reason"]
        assert b"Before" in server.get("/accounts/login/")[1]
        assert server.ends() == 0


async def test_a_program_that_is_broken_changes_nothing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a half-done upgrade of the installed package would do."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "later"))
    with Serving(database) as server:
        (tmp_path / "later").mkdir()
        writes(tmp_path / "later/jinja2.py", "raise ImportError('half installed')")
        server.garbled = True  # Python's own words stand between the log's lines
        async with loading(server.port) as load:
            reload(server)
            await becomes(lambda: bool(server.said("reload_failed")))
            assert server.said("reload_failed")[0]["reason"] == "the new server ended with exit code 1"
            await load.more(50)
            assert load.failures == []
        (tmp_path / "later/jinja2.py").unlink()
        reload(server)
        until(lambda: bool(server.said("reloaded")))
        assert server.ends() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_has_just_died(database: str, toml: Path, workers: int) -> None:
    with serving(database, toml, workers) as (server, first):
        os.kill(min(first), signal.SIGKILL)
        says(toml, "After", workers)
        reload(server)
        until(lambda: bool(server.said("reloaded")) or bool(server.said("server_died")))
        until(lambda: len(server.children()) == workers and not server.children() & first)
        assert b"After" in server.get("/accounts/login/")[1]
        assert server.ends() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_the_end_during_a_reload(database: str, toml: Path, workers: int) -> None:
    with serving(database, toml, workers) as (server, known):
        reload(server)
        until(lambda: bool(server.children() - known))  # the next generation is starting
        known |= server.children()
        assert server.ends() == 0
        until(lambda: not any(alive(pid) for pid in known))


@pytest.mark.parametrize("workers", [1, 2])
async def test_the_new_worker_is_killed_while_it_starts(database: str, toml: Path, workers: int) -> None:
    with serving(database, toml, workers) as (server, first):
        async with loading(server.port) as load:
            says(toml, "After", workers)
            reload(server)
            await becomes(lambda: bool(server.children() - first))
            for pid in server.children() - first:
                os.kill(pid, signal.SIGKILL)
            await becomes(lambda: bool(server.said("reload_failed")) or bool(server.said("reloaded")))
            await load.more(50)
            assert load.failures == []
            reload(server)
            await becomes(lambda: len(server.children()) == workers and not server.children() & first)
        assert server.ends() == 0


def test_asked_again_while_it_starts_reads_again(database: str, toml: Path) -> None:
    with serving(database, toml, 1) as (server, first):
        says(toml, "Between", 1)
        reload(server)
        until(lambda: bool(server.children() - first))
        says(toml, "After", 1)
        reload(server)
        until(lambda: len(server.said("reloaded")) == 2)
        assert b"After" in server.get("/accounts/login/")[1]


def test_who_leaves_is_not_ready_but_still_answers(database: str) -> None:
    """A connection that was kept gets its next answer, the last, from the worker that leaves."""
    with Serving(database) as server, server.connect(ASKS) as kept, server.connect(b"") as idle:
        assert kept.recv(65536).startswith(b"HTTP/1.1 200 ")
        before = server.children()
        reload(server)
        until(lambda: bool(server.said("reloaded")))
        assert server.get("/readyz")[0] == 200
        assert before < server.children()
        last = asked_until_closed(kept)
        assert last.startswith(b"HTTP/1.1 503 ") and b"connection: close\r\n" in last
        idle.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP/1.1 200 " in idle.recv(65536)
        until(lambda: not server.children() & before)


def asked_until_closed(connection: socket.socket) -> bytes:
    """The last answer on a connection; the worker notices within a tenth of a second that it is leaving."""
    answer = b""
    while b"connection: close" not in answer:
        connection.sendall(ASKS)
        answer = connection.recv(65536)
    return answer


def test_nobody_outlives_the_one_at_the_top(database: str) -> None:
    with Serving(database, "--workers", "2") as server:
        until(lambda: len(server.children()) == 2)
        reload(server)
        until(lambda: bool(server.said("reloaded")))
        everyone = server.children()
        server.process.kill()
        until(lambda: not any(alive(pid) for pid in everyone))


def test_systemd_is_told(database: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        with Serving(database, NOTIFY_SOCKET=str(tmp_path / "notify")) as server:
            assert manager.recv(4096) == b"READY=1"
            reload(server)
            assert manager.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(4096) == b"READY=1"
            assert server.ends() == 0
            assert manager.recv(4096) == b"STOPPING=1"
