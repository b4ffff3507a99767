"""The measuring itself: operations, rounds in turns, medians, shares."""

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from machine import SERVER_CORE, TICK, hashing, on_core
from servers import Server, begun, finished, load

Measures = dict[str, list[float]]


@dataclass(frozen=True)
class Operation:
    """Requests of one kind, and what a good answer to them is. `rest`: seconds until the server has written all."""

    name: str
    requests: str
    status: int
    words: str
    again: bool = True
    rest: float = 0.0
    connections: int = 0
    seconds: float = 0.0
    rate: float = 0.0


OPERATIONS = (
    Operation("empty", "nop", 200, "ok"),
    Operation("exchange", "exchange", 200, '"access_token":"', again=False),
    Operation("bearer", "bearer", 200, '"username":"user', rest=1.2),
    Operation("authorize", "authorize", 302, "https://rp.test/cb?code="),
    Operation("login", "login", 303, "set-cookie: valetkey="),
)
CALM = Operation("bearer beside logins", "bearer", 200, '"username":"user', connections=4, rate=200)


class Bench:
    """One run: servers in turns, rounds of all operations, medians of the rounds."""

    def __init__(self, options: argparse.Namespace, binary: Path) -> None:
        self.options, self.binary = options, binary
        self.servers: list[Server] = []
        self.found: dict[tuple[str, str], Measures] = defaultdict(lambda: defaultdict(list))
        self.argon2: Measures = {"rate": [], "cpu": []}
        self.bad = 0
        self.load_share = 0.0  # of its core, that the generator needed at most

    def run(self) -> None:
        """Round 0 warms up and is not kept; the order of the servers changes from round to round."""
        for number in range(self.options.rounds + 1):
            order = self.servers if number % 2 else self.servers[::-1]
            for operation in OPERATIONS:
                if operation.name not in self.options.operations:
                    continue
                for server in order:
                    self.measure(server, operation, number)
                if operation.name == "login":
                    self.beside_logins(order, operation, number)
            say(f"round {number} of {self.options.rounds}" if number else "warmed up")

    def asked(self, operation: Operation, number: int) -> Operation:
        seconds = self.options.seconds if number else min(1.0, self.options.seconds)
        requests = operation.requests if operation.again else f"{operation.requests}-{number}"
        connections = operation.connections or self.options.connections
        return replace(operation, requests=requests, seconds=seconds, connections=connections)

    def measure(self, server: Server, operation: Operation, number: int) -> None:
        before = server.cpu()
        said = load(self.binary, server, self.asked(operation, number))
        time.sleep(min(operation.rest, self.options.seconds))
        used = max(1 / TICK, server.cpu() - before)  # it is counted in ticks
        self.load_share = max(self.load_share, said["cpu"] / max(said["seconds"], 0.1))
        said["cpu"] = used / max(1, said["answers"]) * 1e6
        self.keep(server, operation.name, said, number)

    def beside_logins(self, order: list[Server], logins: Operation, number: int) -> None:
        """What a few calls feel while logins keep the core busy; and what hashes alone take there."""
        for server in order:
            flood = begun(self.binary, server, self.asked(logins, number))
            self.keep(server, CALM.name, load(self.binary, server, self.asked(CALM, number)), number)
            self.bad += int(finished(flood)["bad"])
        if number:
            with on_core(SERVER_CORE):
                rate, cpu = hashing(self.options.seconds)
            self.argon2["rate"].append(rate)
            self.argon2["cpu"].append(cpu)

    def keep(self, server: Server, name: str, said: dict[str, float], number: int) -> None:
        self.bad += int(said["bad"])
        if number:
            measures = self.found[server.name, name]
            for key in ("p50", "p99", "cpu"):
                measures[key].append(said[key])
            measures["rate"].append(said["answers"] / max(said["seconds"], 1e-9))

    def median(self, server: Server, name: str, key: str) -> float:
        return statistics.median(self.found[server.name, name][key])

    def rows(self) -> Iterator[list[str]]:
        """The table: a line for each operation of each server."""
        for name in dict.fromkeys(name for _, name in self.found):
            for server in self.servers:
                rate, cpu = self.median(server, name, "rate"), self.median(server, name, "cpu")
                p50, p99 = self.median(server, name, "p50"), self.median(server, name, "p99")
                row = [server.name, name, f"{rate:,.0f}", "", f"{cpu:,.0f}", "", f"{p50:.2f}", f"{p99:.2f}"]
                unit = self.unit(server, name)
                if unit:
                    ours = self.found[server.name, name]
                    row[3] = f"{ratio(ours['rate'], unit['rate']):.2f}"
                    row[5] = f"{ratio(unit['cpu'], ours['cpu']):.2f}"
                if name == CALM.name:  # its rate is ours, and the logins' work stands beside its own
                    row[2:6] = [""] * 4
                yield row

    def unit(self, server: Server, name: str) -> Measures | None:
        """What an operation is told in shares of: the empty handler, and for a login the hash alone."""
        if name == "login":
            return self.argon2 if self.argon2["rate"] else None
        return self.found.get((server.name, "empty")) if name not in ("empty", CALM.name) else None

    def compared(self) -> Iterator[list[str]]:
        """This tree in shares of the other one."""
        for here, there in zip(self.servers[::2], self.servers[1::2], strict=True):
            for name in dict.fromkeys(name for _, name in self.found if name != CALM.name):
                ours, theirs = self.found[here.name, name], self.found[there.name, name]
                of = (f"{ratio(ours[key], theirs[key]):.3f}" for key in ("rate", "cpu"))
                yield [here.name, name, *of]


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of what stands beside one another in each round: what disturbed a round disturbed both."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
