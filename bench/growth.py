"""What an operation costs among few and among millions of live tokens, and what a clean-up of millions costs others.

    ./dev bench growth [--engine sqlite] [--sizes 10000,1000000] [--over 1000000]

Databases are filled in bulk (fill.py), each has a server (grown.py), and rounds of all operations go over the servers
in turns. growth.md says what was found.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from fill import Filling
from grown import Grown
from machine import SERVER_CORE, TICK, on_cores
from report import table
from rounds import Operation, say
from run import durable_postgres
from servers import compiled, load

ENGINES = ["sqlite", "postgresql"]
OPERATIONS = (
    Operation("bearer", "bearer"),
    Operation("authorize", "authorize"),
    Operation("exchange", "exchange", again=False),
)
# PostgreSQL reads tables and keys into its memory, as an hour of calls would.
KEYS = {
    "tokens": "digest",
    "authorizations": "id",
    "accounts": "id",
    "sessions": "digest",
    "consents": "account_id",
}
WARMED = "; ".join(
    f"SET enable_seqscan = {scan}; SELECT count({key}) FROM {table}"
    for table, key in KEYS.items()
    for scan in ("on", "off")
)
STORED, TURNS_OF_STORED = 2_400, 3  # exchanges of the store alone in a turn


def show(head: str, rows: list[list[str]]) -> None:
    print(table(head, rows))


class Growth:
    """One engine: a server for each size in turns, then the clean-up."""

    def __init__(self, options: argparse.Namespace, folder: Path, engine: str, stack: ExitStack) -> None:
        self.options, self.folder, self.engine, self.stack = options, folder, engine, stack
        self.binary = compiled(folder)
        self.cluster = stack.enter_context(durable_postgres(SERVER_CORE)) if engine == "postgresql" else None
        if self.cluster is not None and options.shared_buffers:
            self.cluster.sql(f"ALTER SYSTEM SET shared_buffers = '{options.shared_buffers}'")
            self.cluster.crash()
            with on_cores(SERVER_CORE):
                self.cluster.start()
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
        if self.cluster is not None and self.options.warm:
            self.cluster.sql(WARMED, f"grown_{name}")
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
        show("on|operation|live tokens|answers/s|CPU us|ratio|p50 ms|ratio|p99 ms", list(self.costs(found)))
        show("on|live tokens|bytes a token|with its authorization|file MB", list(self.bytes(weights)))
        for server in servers.values():
            server.stop()

    def costs(self, found: dict[tuple[str, int], list[dict[str, float]]]) -> Iterator[list[str]]:
        """Each operation at each size, and its ratio to the first."""
        least = self.options.sizes[0]
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
            yield [*row, f"{figures['p50']:.2f}", ratios[1], f"{figures['p99']:.2f}"]

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
    parser.add_argument("--shared-buffers", default="", help="of PostgreSQL; its default is 128MB")
    parser.add_argument("--warm", action="store_true", help="PostgreSQL reads all into its memory first")
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
