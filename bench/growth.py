"""What an operation costs among few and among millions of live tokens, and what a clean-up of millions costs others.

    ./dev bench growth [--engine sqlite] [--sizes 10000,1000000] [--over 1000000]

Databases are filled in bulk (fill.py), each has a server, and rounds of all operations go over the servers in turns.
growth.md says what was found.
"""

import argparse
import asyncio
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fill import REDIRECT, Filling, fill
from machine import SERVER_CORE, TICK, on_cores
from ours import Valetkey
from report import table
from rounds import Operation, say
from run import durable_postgres
from servers import HERE, compiled, load

ENGINES = ["sqlite", "postgresql"]
OPERATIONS = (
    Operation("bearer", "bearer"),
    Operation("authorize", "authorize"),
    Operation("exchange", "exchange", again=False),
)
ASKED = 30_000  # different requests of a kind in a round
TOKEN_PATH = "/oauth/access_token"
STORED, TURNS_OF_STORED = 2_400, 3  # exchanges of the store alone in a turn
STEP = 7_919  # from one token that is asked for to the next, so that they are spread over all


@dataclass
class Grown(Valetkey):
    """A server on a database that was filled in bulk."""

    filling: Filling = field(default_factory=lambda: Filling(0))
    cluster: Any = None

    def fill(self) -> None:
        """In a process of its own: ten million rows leave its memory in pieces."""
        self.folder.mkdir(parents=True)
        begin = time.monotonic()
        settings = {"cwd": self.folder, "env": self.environment()}
        keys = ("live", "over", "codes", "ordered")
        counts = [str(int(getattr(self.filling, key))) for key in keys]
        said = subprocess.run(
            [sys.executable, HERE / "growth.py", "fill", self.database, *counts],
            **settings,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        now, self.filling.app_secret, *self.filling.apps = said.split()
        self.filling.now = int(now)
        say(f"{self.name}: filled in {time.monotonic() - begin:.0f} s")

    def serve(self, every: float) -> None:
        """Begin to serve; housekeeping looks every so many seconds."""
        command = [sys.executable, HERE / "growth.py", "serve", str(self.port), str(every)]
        environs = self.environment()
        with on_cores(SERVER_CORE), (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=environs, stdout=log, stderr=log)
        self.wait_until_ready()

    def write_requests(self, number: int, codes: int) -> None:
        """The requests of a round; no round asks for what an earlier one asked for, while there is enough."""
        filling, host = self.filling, f"127.0.0.1:{self.port}"
        first = number * ASKED
        tokens = (filling.token((first + n) * STEP % filling.live) for n in range(min(ASKED, filling.live)))
        people = ((first + n) * STEP % filling.people for n in range(min(ASKED, filling.people)))
        asked = {"redirect_uri": REDIRECT, "client_id": filling.apps[0], "client_secret": filling.app_secret}
        asked |= {"grant_type": "authorization_code"}
        spent = [filling.code(n) for n in range(number * codes, (number + 1) * codes)]
        self.write(
            f"bearer-{number}", (get(host, f"/v1/users/self?access_token={token}") for token in tokens)
        )
        self.write(f"authorize-{number}", (self.authorize(host, person) for person in people))
        half = codes // 2
        for mark, some in (("", spent[:half]), ("-paced", spent[half:])):
            self.write(
                f"exchange-{number}{mark}", (post(host, TOKEN_PATH, asked | {"code": c}) for c in some)
            )

    def authorize(self, host: str, person: int) -> bytes:
        query = {"client_id": self.filling.apps[person % len(self.filling.apps)], "redirect_uri": REDIRECT}
        path = "/oauth/authorize/?" + urlencode(query | {"response_type": "code"})
        return get(host, path, f"Cookie: valetkey={self.filling.session(person)}")

    def write(self, name: str, requests: Iterator[bytes]) -> None:
        framed = b"".join(len(one).to_bytes(4, "little") + one for one in requests)
        (self.folder / f"{name}.requests").write_bytes(framed)

    def store_alone(self, first_code: str) -> dict[str, list[float]]:
        filling = self.filling
        given = (
            *(self.database, str(filling.live), str(int(filling.ordered)), first_code),
            *(str(filling.now), *filling.apps),
        )
        with on_cores(SERVER_CORE):
            said = subprocess.run(
                [sys.executable, HERE / "stored.py", *given],
                env=self.environment(),
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout
        found: dict[str, list[float]] = json.loads(said)
        return found

    def ask(self, statement: str) -> list[tuple[str, ...]]:
        """Rows of the database, as text."""
        if self.cluster is None:
            with closing(sqlite3.connect(self.database.removeprefix("sqlite:///"))) as connection:
                return [tuple(map(str, row)) for row in connection.execute(statement)]
        said = self.cluster.sql(statement, self.database.partition("?")[0].rpartition("/")[2])
        return [tuple(line.split("|")) for line in said.splitlines()]

    def weights(self) -> dict[str, int]:
        """Bytes of each table with its indexes, and of all."""
        if self.cluster is None:
            of = "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING(name) GROUP BY 1"
            files = (Path(self.database.removeprefix("sqlite:///") + end) for end in ("", "-wal"))
            whole = sum(file.stat().st_size for file in files if file.exists())
        else:
            of = "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"
            whole = int(self.ask("SELECT pg_database_size(current_database())")[0][0])
        return {name: int(size) for name, size in self.ask(of)} | {"": whole}

    def over_share(self) -> float:
        """What of the rows that were over at the start is still there: they ended one after the other."""
        first = int(self.ask("SELECT min(expires_at) FROM tokens")[0][0])
        oldest, newest = self.filling.now - 31 * 86400, self.filling.now - 86400
        return max(0.0, min(1.0, (newest - first) / (newest - oldest)))


def show(head: str, rows: list[list[str]]) -> None:
    print(table(head, rows))


def get(host: str, path: str, *headers: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", f"Host: {host}", "Accept: */*", *headers, "", "")).encode()


def post(host: str, path: str, form: dict[str, str]) -> bytes:
    body = urlencode(form)
    kind = "Content-Type: application/x-www-form-urlencoded"
    head = (f"POST {path} HTTP/1.1", f"Host: {host}", kind, f"Content-Length: {len(body)}", "", body)
    return "\r\n".join(head).encode()


class Growth:
    """One engine: a server for each size in turns, then the clean-up."""

    def __init__(self, options: argparse.Namespace, folder: Path, engine: str, stack: ExitStack) -> None:
        self.options, self.folder, self.engine, self.stack = options, folder, engine, stack
        self.binary = compiled(folder)
        self.cluster = stack.enter_context(durable_postgres(SERVER_CORE)) if engine == "postgresql" else None
        self.bad = 0

    def grown(self, name: str, filling: Filling) -> Grown:
        place = self.folder / f"{self.engine}-{name}"
        shared: dict[str, Any] = {"filling": filling, "cluster": self.cluster}
        if self.cluster is None:
            server = Grown(name, self.engine, place, database=f"sqlite:///{place}/valetkey.db", **shared)
        else:
            self.cluster.sql(f"CREATE DATABASE grown_{name}")
            pid = int((self.cluster.data / "postmaster.pid").read_text().split()[0])
            url = self.cluster.url(f"grown_{name}")
            server = Grown(name, self.engine, place, (pid,), database=url, **shared)
        server.fill()
        self.stack.callback(server.stop)
        return server

    def measure(self, server: Grown, operation: Operation, number: int, rate: float = 0) -> dict[str, float]:
        requests = f"{operation.requests}-{number}" + "-paced" * (rate > 0 and not operation.again)
        asked = replace(
            operation,
            requests=requests,
            connections=self.options.connections,
            seconds=self.options.seconds,
            rate=rate,
        )
        before = server.cpu()
        said = load(self.binary, server, asked)
        self.bad += int(said["bad"])
        return said | {
            "rate": said["answers"] / max(said["seconds"], 1e-9),
            "cpu": max(1 / TICK, server.cpu() - before) / max(1, said["answers"]) * 1e6,
        }

    def sizes(self) -> None:
        """Every operation among few and many live tokens."""
        found: dict[tuple[str, int], list[dict[str, float]]] = defaultdict(list)
        codes, rounds = self.options.codes, self.options.rounds + 1
        spare = STORED * (TURNS_OF_STORED + 1)  # codes for the store alone
        fillings = {
            size: Filling(size, codes=codes * rounds + spare, ordered=self.options.ordered)
            for size in self.options.sizes
        }
        servers = {size: self.grown(str(size), filling) for size, filling in fillings.items()}
        weights = {size: server.weights() for size, server in servers.items()}
        self.stored(servers, codes * rounds)
        for server in servers.values():
            server.serve(every=1e9)
        for number in range(rounds):
            order = list(servers)[:: 1 if number % 2 else -1]
            for size in order:
                servers[size].write_requests(number, codes)
            for operation in OPERATIONS:
                for size in order:
                    said = self.measure(servers[size], operation, number)
                    if number:
                        found[operation.name, size].append(said)
            say(f"{self.engine}: round {number} of {rounds - 1}" if number else f"{self.engine}: warmed up")
        least = self.options.sizes[0]
        rows = []
        for (name, size), measures in found.items():
            figures = {
                key: statistics.median(m[key] for m in measures) for key in ("rate", "cpu", "p50", "p99")
            }
            ratios = [
                f"{statistics.median(m[key] / o[key] for m, o in zip(measures, found[name, least], strict=True)):.2f}"
                for key in ("cpu", "p50")
            ]
            row = [
                self.engine,
                name,
                f"{size:,}",
                f"{figures['rate']:,.0f}",
                f"{figures['cpu']:,.0f}",
                ratios[0],
            ]
            rows.append([*row, f"{figures['p50']:.2f}", ratios[1], f"{figures['p99']:.2f}"])
        show("on|operation|live tokens|answers/s|CPU us|ratio|p50 ms|ratio|p99 ms", rows)
        show("on|live tokens|bytes a token|with its authorization|file MB", list(self.bytes(weights)))
        for server in servers.values():
            server.stop()

    def stored(self, servers: dict[int, Grown], first_code: int) -> None:
        """The store alone, in turns; the first turn warms up."""
        found: dict[tuple[str, int], list[list[float]]] = defaultdict(list)
        for turn in range(TURNS_OF_STORED + 1):
            for size, server in servers.items():
                code = str(first_code + turn * STORED)
                said = server.store_alone(code)
                for name, figures in said.items() if turn else ():
                    found[name, size].append(figures)
        least, rows = min(servers), []
        for (name, size), figures in found.items():
            cpu, took = (statistics.median(each) for each in zip(*figures, strict=True))
            of = [statistics.median(each) for each in zip(*found[name, least], strict=True)]
            rows.append([self.engine, name, f"{size:,}", f"{cpu:.0f}", f"{cpu / of[0]:.2f}"])
            rows[-1] += [f"{took:.0f}", f"{took / of[1]:.2f}"]
        show("on, the store alone|operation|live tokens|CPU us|ratio|us|ratio", rows)

    def bytes(self, weights: dict[int, dict[str, int]]) -> Iterator[list[str]]:
        for size, of in weights.items():
            codes = self.options.codes * (self.options.rounds + 1) + STORED * (TURNS_OF_STORED + 1)
            token, root = of["tokens"] / size, of["authorizations"] / (size + codes)
            yield [self.engine, f"{size:,}", f"{token:.0f}", f"{token + root:.0f}", f"{of[''] / 1e6:,.0f}"]

    def cleaning(self) -> None:
        """Calls in turns: while nothing is cleaned up, and while what is over goes."""
        live, over, codes, rate = self.options.live, self.options.over, self.options.codes, self.options.rate
        rounds = 2 * self.options.rounds + 2
        server = self.grown("cleaning", Filling(live, over, codes * rounds, self.options.ordered))
        found: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
        gone, seconds, before = 0.0, 0.0, server.weights()
        for number in range(rounds):
            beside = "clean-up" if number % 2 else "nothing"
            server.serve(every=0.01 if number % 2 else 1e9)
            server.write_requests(number, codes)
            share, begin = server.over_share(), time.monotonic()
            for operation in OPERATIONS:
                for kind, pace in (("at full load", 0.0), (f"{rate:.0f}/s", rate)):
                    if kind == "at full load" and self.options.calm:
                        continue
                    said = self.measure(server, operation, number, pace)
                    if number > 1:
                        found[f"{operation.name} {kind}", beside].append(said)
            if number % 2:
                gone += share - server.over_share()
                seconds += time.monotonic() - begin
            server.stop()
        rows = []
        for name, beside in found:
            mine = found[name, beside]
            median = {
                key: statistics.median(m[key] for m in mine) for key in ("rate", "p50", "p99", "longest")
            }
            without = found[name, "nothing"]
            ratios = [one["p99"] / other["p99"] for one, other in zip(mine, without, strict=True)]
            row = [self.engine, name, beside, f"{median['rate']:,.0f}", f"{median['p50']:.2f}"]
            rows.append(
                [*row, f"{median['p99']:.2f}", f"{statistics.median(ratios):.2f}", f"{median['longest']:.1f}"]
            )
        show("on|operation|beside|answers/s|p50 ms|p99 ms|ratio|longest ms", rows)
        say(
            f"{self.engine}: beside load {2 * over * gone / seconds:,.0f} rows/s went (tokens and authorizations)"
        )
        self.to_the_end(server, over, before)

    def to_the_end(self, server: Grown, over: int, before: dict[str, int]) -> None:
        """What is left of the clean-up, with nobody else there."""
        begin, share = time.monotonic(), server.over_share()
        server.serve(every=0.5)
        while server.over_share() > 0:
            time.sleep(0.5)
        seconds = time.monotonic() - begin
        time.sleep(self.options.settle)
        after = server.weights()
        server.stop()
        print(
            f"{self.engine}: alone {2 * over * share / max(seconds, 1e-9):,.0f} rows/s went; "
            f"{before[''] / 1e6:,.0f} MB before, {after[''] / 1e6:,.0f} MB after {self.options.settle:.0f} s\n"
        )


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench growth", description=__doc__.partition("\n")[0])
    listed = lambda text: [int(part) for part in text.split(",") if part]
    parser.add_argument("--engine", type=lambda text: text.split(","), default=ENGINES)
    parser.add_argument(
        "--sizes", type=listed, default=[10_000, 1_000_000], help="live tokens; empty for none"
    )
    parser.add_argument("--over", type=int, default=1_000_000, help="tokens to clean up; 0 for none")
    parser.add_argument("--live", type=int, default=100_000, help="live tokens beside them")
    parser.add_argument(
        "--rate", type=float, default=300.0, help="requests a second that clean-up must not slow"
    )
    parser.add_argument("--calm", action="store_true", help="beside clean-up only that rate, not full load")
    parser.add_argument(
        "--ordered", action="store_true", help="tokens of today's form in place of classic ones"
    )
    parser.add_argument(
        "--settle", type=float, default=5.0, help="seconds until the size after it is looked at"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, behind one that warms up")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each operation of a round")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--codes", type=int, default=20_000, help="codes that a round can exchange")
    parser.add_argument("--place", default="/var/tmp", help="where the SQLite files go: a folder on a disk")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = options_of(arguments)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="valetkey-growth-", dir=options.place) as name:
        for engine in options.engine:
            with ExitStack() as stack:
                growth = Growth(options, Path(name), engine, stack)
                if options.sizes:
                    growth.sizes()
                if options.over:
                    growth.cleaning()
                bad += growth.bad
    if bad:
        print(f"{bad} answers were not good: the figures do not count")
    return 1 if bad else 0


async def filled(database: str, *counts: str) -> None:
    """In a process of its own: fill a database and say what its requests must know."""
    from valetkey.server.authorization_server import assemble
    from valetkey.settings import load as load_settings

    assert database == os.environ["VALETKEY_DATABASE"]
    server = assemble(load_settings())
    await server.open()
    live, over, codes, ordered = map(int, counts)
    filling = Filling(live, over, codes, bool(ordered))
    await fill(server, filling)
    await server.close()
    print(filling.now, filling.app_secret, *filling.apps)


def served(port: str, every: str) -> None:
    """In a process of its own: serve, with housekeeping that looks every so often."""
    from valetkey.cli import main as command
    from valetkey.server import housekeeping

    housekeeping.EVERY = float(every)
    command.cli(["serve", "--host", "127.0.0.1", "--port", port], prog_name="valetkey")


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        asyncio.run(filled(*sys.argv[2:]))
    elif sys.argv[1:2] == ["serve"]:
        served(*sys.argv[2:])
    else:
        sys.exit(main(sys.argv[1:]))
