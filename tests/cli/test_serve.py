"""`valetkey serve`, from start to end, with real processes and signals."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.cli.conftest import Shell
from tests.cli.serving import Serving, alive, ports_of
from tests.waiting import PATIENCE, until
from valetkey.cli.serving import Patience
from valetkey.cli.succession import LEAVE
from valetkey.cli.workers import Workers

HALF = b"POST /oauth/access_token HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nclien"


@pytest.fixture
def database(fresh_sqlite: Path) -> str:
    return f"sqlite:///{fresh_sqlite}"


def rest(connection: socket.socket) -> bytes:
    """All that still comes."""
    data = b""
    while got := connection.recv(65536):
        data += got
    return data


@pytest.mark.parametrize("workers", ["1", "2"])
def test_requests_under_way_are_finished(database: str, workers: str) -> None:
    with (
        Serving(database, "--workers", workers) as server,
        server.connect(HALF) as half,
        server.connect(b"") as idle,
    ):
        until(lambda: server.get("/readyz")[0] == 200)
        server.process.terminate()
        assert rest(idle) == b""
        until(lambda: server.get("/readyz")[0] == 0)
        half.sendall(b"t_id=")
        assert rest(half).startswith(b"HTTP/1.1 400 ")
        assert server.process.wait(PATIENCE) == 0
    assert server.said("stopped")[0]["exit_code"] == 0
    assert [line["event"] for line in server.lines if line["level"] in ("warning", "error")] == []


def test_ctrl_c_is_a_proper_end_too(database: str) -> None:
    with Serving(database) as server:
        assert server.ends(signal.SIGINT) == 0


def test_not_ready_first_then_deaf_then_gone(database: str) -> None:
    with Serving(database, "--drain", "1") as server, server.connect(b"") as early:
        assert server.get("/readyz")[0] == 200  # so the one before was accepted
        server.process.terminate()
        until(lambda: server.get("/readyz")[0] == 503)
        assert server.get("/healthz")[0] == 503
        assert server.get("/robots.txt")[0] == 200
        early.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = rest(early)
        assert answer.startswith(b"HTTP/1.1 200 ") and b"connection: close\r\n" in answer
        assert server.process.wait(PATIENCE) == 0


def test_not_ready_below_the_path_of_the_issuer_either(database: str) -> None:
    with Serving(database, "--drain", "600", VALETKEY_ISSUER="http://localhost/auth") as server:
        assert server.get("/auth/readyz")[0] == 200
        server.process.terminate()
        until(lambda: server.get("/readyz")[0] == 503)
        assert server.get("/auth/readyz")[0] == 503
        assert server.ends() == 0


def test_who_is_in_a_hurry_says_it_twice(database: str) -> None:
    with Serving(database, "--drain", "600") as server:
        server.process.terminate()
        until(lambda: server.get("/readyz")[0] == 503)
        assert server.ends() == 0


def test_a_worker_that_dies_is_replaced(database: str) -> None:
    with Serving(database, "--workers", "2") as server:
        until(lambda: len(server.children()) == 2)
        first = server.children()
        for worker in first:
            os.kill(worker, signal.SIGKILL)
        until(lambda: len(server.children()) == 2 and not server.children() & first)
        until(lambda: server.get("/readyz")[0] == 200)
        assert {line["pid"] for line in server.said("worker_died")} == first
        assert server.ends() == 0


def test_a_worker_that_is_asked_alone_leaves_the_door_open(database: str) -> None:
    """It drains and waits for who is slow, and whoever comes meanwhile goes to the others."""
    asks = b"GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n"
    with (
        Serving(database, "--workers", "2", "--drain", "0.3") as server,
        contextlib.ExitStack() as stack,
    ):
        until(lambda: len(server.children()) == 2)
        slow, *kept = [stack.enter_context(server.connect(sent)) for sent in (HALF, *[asks] * 12)]
        for connection in kept:
            assert connection.recv(65536)
        theirs = {pid: ports_of(pid, server.port) for pid in server.children()}
        (leaver,) = (pid for pid, ports in theirs.items() if slow.getsockname()[1] in ports)
        os.kill(leaver, signal.SIGTERM)
        for connection in kept:
            if connection.getsockname()[1] in theirs[leaver]:
                assert connection.recv(65536) == b""  # it is at its end, and waits for the slow one alone
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as late:
            late.sendall(asks)
            assert late.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert alive(leaver)


def test_workers_do_not_outlive_their_parent(database: str) -> None:
    with Serving(database, "--workers", "2") as server:
        until(lambda: len(server.children()) == 2)
        workers = server.children()
        server.process.kill()
        until(lambda: not any(alive(worker) for worker in workers))


def test_the_operator_works_beside_it(database: str, shell: Shell) -> None:
    with Serving(database, "--workers", "2", VALETKEY_ISSUER="https://id.example") as server:
        shell.account("alice")
        app = shell.app("alice")
        query = {
            "client_id": app["client_id"],
            "redirect_uri": "https://app.example/cb",
            "response_type": "code",
        }
        assert server.get(f"/oauth/authorize/?{urlencode(query)}")[0] == 302  # to the login page
        shell("apps", "delete", app["client_id"], "--yes")
        assert server.get(f"/oauth/authorize/?{urlencode(query)}")[0] == 400


def test_one_line_at_the_start_and_none_for_each_request(database: str) -> None:
    with Serving(database, "--issuer", "https://id.example") as server:
        for _ in range(5):
            assert server.get("/robots.txt")[0] == 200
        assert server.ends() == 0
    assert [line["event"] for line in server.lines] == ["listening", "stopped"]
    assert server.lines[0]["issuer"] == "https://id.example" and server.lines[0]["workers"] == 1


def test_the_port_is_known_to_the_issuer(database: str) -> None:
    with Serving(database) as server:
        assert server.lines[0]["issuer"] == f"http://127.0.0.1:{server.port}"
        assert server.port != 0


def test_a_busy_port_is_one_line(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = shell("serve", "--port", str(port))
    assert (said.code, said.err) == (1, f"port: {port} on 127.0.0.1 is used by another program\n")


@pytest.mark.parametrize(
    ("words", "code", "err"),
    [
        (("--host", "203.0.113.77"), 1, "host: cannot listen on 203.0.113.77, port "),
        (("--database", "sqlite:////nowhere/at/all.db"), 1, "database: cannot be used: "),
        (("--database", "memory://", "--workers", "2"), 2, "server.workers: "),
        (("--issuer", "nonsense"), 2, "issuer: "),
        (("--port", "99999"), 2, "Usage: "),
    ],
)
def test_what_cannot_be_served_is_said_at_once(
    shell: Shell, words: tuple[str, ...], code: int, err: str
) -> None:
    said = shell("serve", "--port", "0", *words)
    assert said.code == code and said.err.startswith(err)
    assert said.err.count("\n") == 1 or err == "Usage: "


@contextlib.contextmanager
def workers_that(serve: str) -> Iterator["subprocess.Popen[str]"]:
    """A supervisor over two workers that do this; `say` is a whole line, whoever else is speaking."""
    code = "import os, signal, sys, time\nfrom valetkey.cli import workers\n"
    code += "from valetkey.cli.workers import Workers\n"
    code += "from valetkey.cli.serving import Patience\n"
    code += "from valetkey.settings import LogSettings\nfrom valetkey.web import logs\n"
    code += "logs.configure(LogSettings())\ndef say(word): os.write(1, word + b'\\n')\n"
    code += f"{serve}\nsys.exit(Workers(2, serve, lambda: say(b'ending'), Patience()).run())"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as supervisor:
        try:
            yield supervisor
        finally:
            supervisor.kill()


def pause(supervisor: "subprocess.Popen[str]", seconds: float) -> None:
    """It stands still, and the clock goes on for so long."""
    supervisor.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, supervisor.pid, os.WSTOPPED | os.WNOWAIT)
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end)


def test_workers_that_can_never_start_are_given_up() -> None:
    with workers_that("def serve(parent): return 3") as supervisor:
        out, _ = supervisor.communicate(timeout=PATIENCE)
    assert supervisor.returncode == 1 and out.startswith("ending")


def test_a_worker_that_fails_at_once_is_tried_again_slowly() -> None:
    with workers_that("def serve(parent): say(b'tried'); raise ValueError('bad luck')") as supervisor:
        assert supervisor.stdout is not None
        assert [supervisor.stdout.readline() for _ in range(4)] == ["tried\n"] * 4
        supervisor.terminate()
        out, _ = supervisor.communicate(timeout=PATIENCE)
    assert supervisor.returncode == 0 and "ending" in out


def test_workers_that_do_not_want_to_end_are_killed() -> None:
    """Ctrl-C twice."""
    deaf = "def serve(parent):\n signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    deaf += " say(b'up')\n signal.pause()"
    with workers_that(deaf) as supervisor:
        assert supervisor.stdout is not None
        assert [supervisor.stdout.readline() for _ in range(2)] == ["up\n"] * 2
        supervisor.terminate()
        assert supervisor.stdout.readline() == "ending\n"
        supervisor.send_signal(signal.SIGINT)
        supervisor.communicate(timeout=PATIENCE)
    assert supervisor.returncode == 0


def test_a_supervisor_that_was_paused_goes_on() -> None:
    """As a container is, or under a debugger, for longer than it wanted to wait."""
    serve = "workers.LOOKS = 0.2\ndef serve(parent):\n say(b'%d' % os.getpid())\n signal.pause()"
    with workers_that(serve) as supervisor:
        assert supervisor.stdout is not None
        one, _ = (int(supervisor.stdout.readline()) for _ in range(2))
        pause(supervisor, 0.3)
        supervisor.send_signal(signal.SIGCONT)
        os.kill(one, signal.SIGKILL)
        assert int(supervisor.stdout.readline()) != one
        supervisor.terminate()
        supervisor.communicate(timeout=PATIENCE)
    assert supervisor.returncode == 0


def test_who_leaves_by_the_clock_is_not_killed_by_an_alarm_for_another() -> None:
    """One of two died and is to be replaced by now, and all are asked to leave."""
    supervisor = Workers(2, lambda _: 0, lambda: None, Patience())
    busy = "import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)\nprint('up', flush=True)\nsignal.pause()"
    with subprocess.Popen([sys.executable, "-c", busy], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "up\n"
        supervisor.born[other.pid], supervisor.due = 0.0, time.monotonic()
        supervisor.end(LEAVE)
        supervisor.look_at_clock()
        other.terminate()
    assert other.returncode == -signal.SIGTERM
