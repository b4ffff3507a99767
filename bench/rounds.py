"""The measuring itself: operations, rounds in turns, what each round gave."""

import argparse
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from machine import CORES, SERVER_CORE, TICK, busy, hashing, on_cores
from servers import Server, begun, finished, load

Measures = dict[str, list[float]]


@dataclass(frozen=True)
class Operation:
    """Requests of one kind, sent again and again, or each once: then there are some for each round."""

    name: str
    requests: str
    again: bool = True
    connections: int = 0
    seconds: float = 0.0
    rate: float = 0.0


# authorize stands before exchange, and that before refresh: the peers use what they gave
OPERATIONS = (
    Operation("empty", "empty"),
    Operation("authorize", "authorize"),
    Operation("exchange", "exchange", again=False),
    Operation("exchange-oauth21", "exchange-oauth21", again=False),
    Operation("exchange-refresh", "exchange-refresh", again=False),
    Operation("refresh", "refresh", again=False),
    Operation("bearer", "bearer"),
    Operation("introspect", "introspect"),
    Operation("client-credentials", "client-credentials"),
    Operation("login", "login"),
)
CALM = Operation("bearer beside logins", "bearer", connections=4, rate=200)


class Bench:
    """One run: servers in turns, rounds of all operations."""

    def __init__(self, options: argparse.Namespace, binary: Path) -> None:
        self.options, self.binary = options, binary
        self.servers: list[Server] = []
        self.found: dict[tuple[str, str], Measures] = defaultdict(lambda: defaultdict(list))
        self.argon2: Measures = {"rate": [], "cpu": []}
        self.bad = 0
        self.strangers: list[float] = []  # the share of all cores that went to others

    def run(self) -> None:
        """Round 0 warms up and is not kept; the order of the servers changes from round to round."""
        for number in range(self.options.rounds + 1):
            order = self.servers if number % 2 else self.servers[::-1]
            for operation in OPERATIONS:
                if operation.name not in self.options.operations:
                    continue
                with_it = [server for server in order if operation.name in server.GOOD]
                for server in with_it:
                    self.measure(server, operation, number)
                if operation.name == "login":
                    self.beside_logins(with_it, operation, number)
            say(f"round {number} of {self.options.rounds}" if number else "warmed up")

    def asked(self, operation: Operation, number: int, workers: int = 1) -> Operation:
        requests = operation.requests if operation.again else f"{operation.requests}-{number}"
        connections = operation.connections or self.options.connections * workers
        return replace(operation, requests=requests, seconds=self.options.seconds, connections=connections)

    def measure(self, server: Server, operation: Operation, number: int) -> None:
        before, began, all_before = server.cpu(), time.monotonic(), busy() - time.process_time()
        answers = server.folder / "answers" if operation.name in server.LEARNS else None
        said = load(self.binary, server, self.asked(operation, number, server.workers), answers)
        time.sleep(min(server.REST.get(operation.name, 0), self.options.seconds))
        used = max(1 / TICK, server.cpu() - before)  # it is counted in ticks
        others = busy() - time.process_time() - all_before - used - said["cpu"]
        self.strangers.append(max(0.0, others) / (time.monotonic() - began) / len(CORES))
        if answers:
            server.learn(operation.name, number, answers)
        said["load"] = said["cpu"] / max(said["seconds"], 0.1)
        said["cpu"] = used / max(1, said["answers"]) * 1e6
        self.keep(server, operation.name, said, number)

    def beside_logins(self, order: list[Server], logins: Operation, number: int) -> None:
        """What a few calls feel while logins keep the core busy; and what hashes alone take there."""
        for server in order:
            flood = begun(self.binary, server, self.asked(logins, number))
            calm = load(self.binary, server, self.asked(CALM, number))
            self.keep(server, CALM.name, calm | {"load": 0.0}, number)
            self.bad += int(finished(flood)["bad"])
        if number:
            with on_cores(SERVER_CORE):
                rate, cpu = hashing(self.options.seconds)
            self.argon2["rate"].append(rate)
            self.argon2["cpu"].append(cpu)

    def keep(self, server: Server, name: str, said: dict[str, float], number: int) -> None:
        if said["bad"]:
            say(f"{server.name}: {name}: {said['bad']} bad answers")
        self.bad += int(said["bad"])
        if number:
            measures = self.found[server.name, name]
            for key in ("p50", "p99", "cpu", "load"):
                measures[key].append(said[key])
            measures["rate"].append(said["answers"] / max(said["seconds"], 1e-9))
            measures["megabytes"].append(server.megabytes())

    def median(self, name: str, operation: str, key: str) -> float:
        return statistics.median(self.found[name, operation][key])

    def of_empty(self, server: Server, name: str) -> Measures | None:
        """What an operation is told in shares of: the empty handler, and for a login the hash alone."""
        if name == "login":
            return self.argon2 if self.argon2["rate"] else None
        return self.found.get((server.name, "empty")) if name not in ("empty", CALM.name) else None


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of what stands beside one another in each round: what disturbed a round disturbed both."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
