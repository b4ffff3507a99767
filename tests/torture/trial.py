"""The trial of the mutants: the tests are collected once, and each mutant meets those that call it, in its own fork.

A program (mutation.py starts it in the sandbox): trial.py QUESTION ANSWER TESTS. The pytest that forks never runs a
test itself, so that nothing that an unchanged rule has worked out is there when a mutant wakes.
"""

import gc
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import process_time

import pytest
from _pytest.runner import runtestprotocol
from _pytest.warnings import catch_warnings_for_item
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

AT_ONCE = int(os.environ.get("VALETKEY_MUTANTS_AT_ONCE", os.cpu_count() or 1))
STUCK = (
    5,
    10,
)  # of the processor: seconds, and times what the tests take; whoever needs more goes round in circles
STEP = 250  # mutants between two words on how far it has come


class Trial:
    """A pytest plugin that tries mutants where others would run tests."""

    def __init__(self, question: Path, answer: Path) -> None:
        self.mutants: list[str] = json.loads(question.read_text())
        self.answer = answer
        self.seconds: dict[str, float] = {}
        self.callers: dict[str, list[pytest.Item]] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        gc.freeze()  # so that forks share what is here
        self.watch(session.items)
        asleep = dict.fromkeys(f"{function_of(mutant)}__mutmut_0" for mutant in self.mutants)
        restless = [nobody for nobody, verdict in self.tried(asleep) if verdict != "survived"]
        assert not restless, f"tests fail with no mutant awake, and so would prove nothing: {restless}"
        print(
            f"with no mutant awake the tests pass, those of {len(asleep)} functions each by themselves",
            flush=True,
        )
        found = dict.fromkeys(self.mutants, "no tests")
        for count, (mutant, verdict) in enumerate(self.tried(self.mutants), 1):
            found[mutant] = verdict
            if count % STEP == 0:
                alive = sum(verdict == "survived" for verdict in found.values())
                print(f"{count} of {len(found)} mutants tried, {alive} live on", flush=True)
        self.answer.write_text(json.dumps(found))
        return True

    def watch(self, items: list[pytest.Item]) -> None:
        """Which tests call which function, and how long each takes."""
        notes = self.answer.with_suffix(".watched")
        _, verdict = ended(fork(partial(watched, items, notes)))
        assert verdict == "survived", "the tests fail, and no mutant is awake"
        for item, (seconds, functions) in zip(items, json.loads(notes.read_text()), strict=True):
            self.seconds[item.nodeid] = seconds
            for function in functions:
                self.callers.setdefault(function, []).append(item)

    def takes(self, item: pytest.Item) -> float:
        return self.seconds[item.nodeid]

    def tried(self, mutants: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Each mutant that any test calls, and what became of it; as many at once as there are processors."""
        under_way: dict[int, str] = {}
        for mutant in mutants:
            if tests := self.callers.get(function_of(mutant)):
                if len(under_way) == AT_ONCE:
                    child, verdict = ended()
                    yield under_way.pop(child), verdict
                under_way[fork(partial(self.met, mutant, tests))] = mutant
        while under_way:
            child, verdict = ended()
            yield under_way.pop(child), verdict

    def met(self, mutant: str, tests: Sequence[pytest.Item]) -> bool:
        """Whether the tests pass with the mutant awake: first those of its own page, and the quick before the slow."""
        page = f"test_{mutant.rpartition('.')[0].rpartition('.')[2]}."
        limit = int(process_time() + STUCK[0] + STUCK[1] * sum(map(self.takes, tests)))
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        set_mutant_under_test(mutant)
        return passes(sorted(tests, key=lambda item: (page not in item.nodeid, self.takes(item))))


def function_of(mutant: str) -> str:
    return mutant.partition("__mutmut_")[0]


def watched(items: Sequence[pytest.Item], notes: Path) -> bool:
    """Runs the tests while every function says that it is called, and notes of each what it took and what it called."""
    set_mutant_under_test("stats")
    noted = []
    before = process_time()
    for passed in outcomes(items):
        if not passed:
            return False
        noted.append((process_time() - before, sorted(state()._stats)))
        state()._stats.clear()
        before = process_time()
    notes.write_text(json.dumps(noted))
    return True


def passes(items: Sequence[pytest.Item]) -> bool:
    """Runs the tests until one fails."""
    return all(outcomes(items))


def outcomes(items: Sequence[pytest.Item]) -> Iterator[bool]:
    for item, following in zip(items, [*items[1:], None], strict=True):
        with catch_warnings_for_item(item.config, item.ihook, "runtest", item=item):  # as its marks have it
            reports = runtestprotocol(item, log=False, nextitem=following)
        yield not any(report.failed for report in reports)


def fork(passed: Callable[[], bool]) -> int:
    """Another process that asks, and ends with the answer."""
    child = os.fork()
    if child == 0:
        with suppress(BaseException), open(os.devnull, "w") as nowhere:
            sys.stdout = sys.stderr = nowhere
            os._exit(0 if passed() else 1)
        os._exit(1)
    return child


def ended(child: int = -1) -> tuple[int, str]:
    """Waits for a fork, or for whichever is next: which it was, and what its end says of the mutant."""
    child, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return child, {0: "survived", -signal.SIGXCPU: "timeout", -signal.SIGKILL: "timeout"}.get(code, "killed")


if __name__ == "__main__":
    question, answer, tests = sys.argv[1:]
    options = [
        "-qq",
        "-s",
        "--tb=native",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "-o",
        "faulthandler_timeout=0",
        "--rootdir=.",
    ]
    sys.exit(pytest.main([*options, tests], plugins=[Trial(Path(question), Path(answer))]))
