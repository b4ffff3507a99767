"""Measure valetkey on this machine, in shares of its own empty handler (README.md says how and why)."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from machine import LOAD_CORE, SERVER_CORE, help_seconds, on_core, syncs_a_second, versions
from rounds import OPERATIONS, Bench, say
from servers import ROOT, OnPostgres, OnSqlite, Server, compiled

ENGINES = ["sqlite", "postgresql"]


@contextmanager
def all_servers(options: argparse.Namespace, folder: Path) -> Iterator[list[Server]]:
    """Every server of this run, started one after another."""
    trees = {"": ROOT, **({" (other)": Path(options.against).resolve()} if options.against else {})}
    made: list[Server] = []
    with ExitStack() as stack:
        for engine in options.engine:
            cluster = stack.enter_context(durable_postgres()) if engine == "postgresql" else None
            for number, (mark, tree) in enumerate(trees.items()):
                place = folder / f"{engine}-{number}"
                if cluster is None:
                    made.append(OnSqlite(engine + mark, tree, f"sqlite:///{place}/valetkey.db", place))
                else:
                    cluster.sql(f"CREATE DATABASE bench{number}")
                    pid = int((cluster.data / "postmaster.pid").read_text().split()[0])
                    url = cluster.url(f"bench{number}")
                    made.append(OnPostgres(engine + mark, tree, url, place, (pid,), cluster=cluster))
                stack.callback(made[-1].stop)
                say(f"{made[-1].name}: preparing")
                made[-1].start(options.rounds + 1, options.codes)
        yield made


@contextmanager
def durable_postgres() -> Iterator[Any]:
    """A PostgreSQL on the server's core that keeps what it says it keeps."""
    sys.path.insert(0, str(ROOT))
    from tests.throwaway_postgres import ThrowawayPostgres

    with on_core(SERVER_CORE):
        cluster = ThrowawayPostgres()
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert cluster.sql(f"SHOW {setting}") == "on", f"{setting} is off"
        yield cluster
    finally:
        cluster.discard()


def idle(servers: list[Server], seconds: float) -> Iterator[list[str]]:
    """What each server holds, and whether it writes while nobody asks."""
    loaded = [server.megabytes() for server in servers]
    late = any(isinstance(server, OnPostgres) for server in servers)
    time.sleep(11 if late else 2)  # the last counts arrive
    before = [server.written() for server in servers]
    time.sleep(seconds)
    for server, megabytes, was in zip(servers, loaded, before, strict=True):
        wrote = "nothing" if server.written() == was else "SOMETHING"
        held = (f"{server.idle_megabytes:.0f}", f"{megabytes:.0f}")
        yield [server.name, f"{server.start_seconds:.2f}", *held, f"{wrote} in {seconds:.0f} s"]


def table(head: str, rows: list[list[str]]) -> None:
    """A table that is readable here and in Markdown."""
    lines = [head.split("|"), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
    print()


def options_of(arguments: list[str]) -> argparse.Namespace:
    names = [operation.name for operation in OPERATIONS]
    words: Callable[[str], list[str]] = lambda text: text.split(",")
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", type=words, default=ENGINES, help=",".join(ENGINES))
    parser.add_argument("--operations", type=words, default=names, help=",".join(names))
    parser.add_argument("--against", metavar="DIR", help="another working tree, measured in turns")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, behind one that warms up")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each operation of a round")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--codes", type=int, default=20_000, help="codes that a round can exchange")
    parser.add_argument("--idle", type=float, default=35.0, help="seconds to watch the idle servers")
    parser.add_argument("--place", default="/var/tmp", help="where the SQLite files go: a folder on a disk")
    parser.add_argument("--json", type=Path, help="keep every round's figures in this file")
    options = parser.parse_args(arguments)
    unknown = {*options.engine, *options.operations} - {*ENGINES, *names}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return options


def main(arguments: list[str]) -> int:
    options = options_of(arguments)
    if SERVER_CORE == LOAD_CORE:
        say("bench: one core only, which server and load share: the figures say little")
    with tempfile.TemporaryDirectory(prefix="valetkey-bench-", dir=options.place) as name:
        folder = Path(name)
        bench = Bench(options, compiled(folder))
        syncs = syncs_a_second(folder)
        with all_servers(options, folder) as bench.servers:
            bench.run()
            resting = list(idle(bench.servers, options.idle))
    table("on|operation|answers/s|share|CPU us|share|p50 ms|p99 ms", list(bench.rows()))
    if options.against:
        table("this tree / other|operation|answers/s|CPU us", list(bench.compared()))
    table("on|start s|idle MB|loaded MB|idle writes", resting)
    print(f"disk: {syncs:,.0f} fdatasync/s; the generator needed {bench.load_share:.0%} of its core at most")
    print(f"valetkey --help: {help_seconds():.2f} s; {versions()}")
    if options.json:
        options.json.write_text(json.dumps([[*key, found] for key, found in bench.found.items()], indent=1))
    if bench.bad:
        print(f"{bench.bad} answers were not good: the figures do not count")
    return 1 if bench.bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
