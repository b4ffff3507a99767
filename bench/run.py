"""Measure valetkey on this machine beside the floor and its peers (docs/performance.md says how and why)."""

import argparse
import itertools
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import goals
import install
import report
from machine import LOAD_CORE, SERVER_CORE, help_seconds, on_cores, syncs_a_second, told
from ours import Floor, OnPostgres, OnSqlite, OnTwoCores
from peers import PEERS, Peer, PeerServer
from rounds import OPERATIONS, Bench, say
from servers import ROOT, Server, compiled

ENGINES, BESIDE = ["sqlite", "postgresql"], ["floor", *PEERS]
# A look: what the goals are about, in about three minutes.
QUICK = {"rounds": 2, "seconds": 0.6, "codes": 6_000, "idle": 3.0, "peers": ["floor", "oidcp"]}
STRANGERS = 0.1  # of all cores: what others may take


class Line:
    """The servers of one run, made and started one after another."""

    def __init__(self, options: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
        self.options, self.folder, self.stack = options, folder, stack
        self.servers: list[Server] = []
        self.numbers = itertools.count()
        self.cluster: Any = None

    def fill(self) -> None:
        """Ours, then the others."""
        if "postgresql" in self.options.engine:
            self.cluster = self.stack.enter_context(durable_postgres(SERVER_CORE))
        for engine in self.options.engine:
            self.ours(f"valetkey {engine}", engine, ROOT)
            if self.options.against:
                self.ours(f"valetkey {engine} (other)", engine, Path(self.options.against).resolve())
            if "floor" in self.options.peers:
                self.start(Floor, f"floor {engine}", engine)
        if self.cluster and "bearer" in self.options.operations and not self.options.against:
            cluster = self.stack.enter_context(durable_postgres(SERVER_CORE, LOAD_CORE))
            self.start(OnTwoCores, "valetkey postgresql, 2 workers", "postgresql", cluster)
        for name in self.options.peers:
            for peer in PEERS.get(name, ()):
                if peer.engine in (*self.options.engine, "memory"):
                    self.peer(peer)

    def ours(self, name: str, engine: str, tree: Path) -> None:
        self.start(OnPostgres if engine == "postgresql" else OnSqlite, name, engine, tree=tree)

    def peer(self, peer: Peer) -> None:
        """What cannot be had, or does not start, is left out."""
        try:
            home = install.home(Path(self.options.place))
            install.NEEDS[peer.needs](home)
            self.start(PeerServer, peer.name, peer.engine, peer=peer, home=home)
        except (install.Missing, RuntimeError, AssertionError, OSError) as error:
            self.servers = [server for server in self.servers if server.name != peer.name]
            say(f"{peer.name}: left out: {' '.join(str(error).split())[-300:]}")

    def start(self, kind: type[Server], name: str, engine: str, cluster: Any = None, **more: Any) -> None:
        say(f"{name}: preparing")
        number, beside = next(self.numbers), ()
        folder = self.folder / str(number)
        database = str(folder / "database.db") if engine == "sqlite" else "memory"
        if engine == "postgresql":
            cluster = cluster or self.cluster
            cluster.sql(f"CREATE DATABASE bench{number}")
            database = cluster.url(f"bench{number}")
            beside = (int((cluster.data / "postmaster.pid").read_text().split()[0]),)
            more |= {"cluster": cluster} if issubclass(kind, OnPostgres) else {}
        server = kind(name, engine, folder, beside, database=database, **more)
        self.stack.callback(server.stop)
        self.servers.append(server)
        server.start(self.options.rounds + 1, self.options.codes)


@contextmanager
def durable_postgres(*cores: int) -> Iterator[Any]:
    """A PostgreSQL on these cores that keeps what it says it keeps."""
    from tests.throwaway_postgres import ThrowawayPostgres

    with on_cores(*cores):
        cluster = ThrowawayPostgres()
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert cluster.sql(f"SHOW {setting}") == "on", f"{setting} is off"
        yield cluster
    finally:
        cluster.discard()


def idle(servers: list[Server], seconds: float) -> Iterator[list[str]]:
    """What each server holds, and whether ours write while nobody asks."""
    loaded = [server.megabytes() for server in servers]
    late = any(isinstance(server, OnPostgres) for server in servers)
    time.sleep(11 if late else 2)  # the last counts arrive
    before = [server.written() for server in servers]
    time.sleep(seconds)
    for server, megabytes, was in zip(servers, loaded, before, strict=True):
        wrote = "nothing" if server.written() == was else "SOMETHING"
        held = (f"{server.idle_megabytes:.0f}", f"{megabytes:.0f}")
        quiet = f"{wrote} in {seconds:.0f} s" if was is not None else ""
        yield [server.name, f"{server.start_seconds:.2f}", *held, quiet]


def options_of(arguments: list[str]) -> argparse.Namespace:
    names = [operation.name for operation in OPERATIONS]
    words: Callable[[str], list[str]] = lambda text: [] if text == "none" else text.split(",")
    peers: Callable[[str], list[str]] = lambda text: BESIDE if text == "all" else words(text)
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="a look of three minutes: short rounds, one peer"
    )
    parser.add_argument("--engine", type=words, default=ENGINES, help=",".join(ENGINES))
    parser.add_argument("--operations", type=words, default=names, help=",".join(names))
    parser.add_argument("--peers", type=peers, default=BESIDE, help=f"all, none, or {','.join(BESIDE)}")
    parser.add_argument("--against", metavar="DIR", help="another working tree, measured in turns")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, behind one that warms up")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each operation of a round")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--codes", type=int, default=16_000, help="codes that a round can exchange")
    parser.add_argument("--idle", type=float, default=35.0, help="seconds to watch the idle servers")
    parser.add_argument(
        "--place", default="/var/tmp", help="where databases and peers go: a folder on a disk"
    )
    parser.add_argument("--json", type=Path, help="keep every round's figures in this file")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    if "--quick" in arguments:
        parser.set_defaults(**QUICK)
    options = parser.parse_args(arguments)
    unknown = {*options.engine, *options.operations, *options.peers} - {*ENGINES, *names, *BESIDE}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if PEERS.keys() & {*options.peers} and "exchange" in options.operations:
        options.operations.append("authorize")  # they exchange what it gave
    return options


def figures(bench: Bench, resting: list[list[str]], syncs: float) -> str:
    """Everything that a run has to say."""
    parts = [report.table(report.HEAD, list(report.rows(bench)))]
    if bench.options.against:
        parts.append(report.table(report.COMPARED, list(report.compared(bench))))
    parts.append(report.table("on|start s|idle MB|loaded MB|idle writes", resting))
    asked = list(goals.goals(bench))
    if asked:
        parts.append(report.table(goals.HEAD, asked))
    most = max(
        max(measures["load"]) for (name, _), measures in bench.found.items() if "2 workers" not in name
    )
    rounds = f"{bench.options.rounds} rounds of {bench.options.seconds:g} s, {bench.options.connections} connections"
    parts.append(
        f"{rounds}; {syncs:,.0f} `fdatasync` a second; the generator needed {most:.0%} of its core at most; "
        f"processes outside this run took {statistics.median(bench.strangers):.0%} of all cores; "
        f"argon2id alone: {report.argon2(bench)}; `valetkey --help`: {help_seconds():.2f} s.\n{told()}.\n"
    )
    if statistics.median(bench.strangers) > STRANGERS:
        parts.append("The machine had other things to do: these figures say little.\n")
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    options = options_of(arguments)
    if SERVER_CORE == LOAD_CORE:
        say("bench: one core only, which server and load share: the figures say little")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing is left running or lying about
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="valetkey-bench-", dir=options.place)
        folder = Path(stack.enter_context(temporary))
        bench = Bench(options, compiled(folder))
        syncs = syncs_a_second(folder)
        line = Line(options, folder, stack)
        line.fill()
        bench.servers = line.servers
        bench.run()
        resting = list(idle(bench.servers, options.idle))
    text = figures(bench, resting, syncs)
    print(text)
    if options.json:
        options.json.write_text(json.dumps([[*key, found] for key, found in bench.found.items()], indent=1))
    if bench.bad:
        print(f"{bench.bad} answers were not good: the figures do not count")
    elif options.write:
        report.write(options.write, text)
    return 1 if bench.bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
