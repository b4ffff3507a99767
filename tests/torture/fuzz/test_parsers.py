"""Every parser of strangers' bytes against its model: by hypothesis always, led by coverage in the long campaign."""

import platform
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torture.fuzz.catalogue import CORPUS, TARGETS

pytestmark = pytest.mark.torture
HAS_WHEELS = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 14)
ROOT = Path(__file__).parents[3]
SLOW = {"door-httptools", "door-h11"}


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Bytes, words of the trade, and both mixed into a seed."""
    target = TARGETS[name]
    soup = st.lists(st.one_of(st.sampled_from(target.words), st.binary(max_size=4)), max_size=16).map(
        b"".join
    )
    seeds = st.sampled_from(target.seeds(name))
    spliced = st.builds(lambda seed, at, more: seed[:at] + more + seed[at:], seeds, st.integers(0, 200), soup)
    return st.one_of(soup, spliced, st.binary(max_size=200))


@pytest.mark.parametrize("name", TARGETS)
def test_against_the_model(name: str, long_torture: bool) -> None:
    target = TARGETS[name]

    @settings(max_examples=(2_000 if name in SLOW else 20_000) if long_torture else 150)
    @given(inputs(name))
    def holds(data: bytes) -> None:
        began = time.process_time()
        target.run(data)
        assert time.process_time() - began < 2, "too slow"

    holds()


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_before(name: str) -> None:
    for seed in TARGETS[name].seeds(name):
        TARGETS[name].run(seed)


def test_every_corpus_has_its_target() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_led_by_coverage(name: str, long_torture: bool) -> None:
    """A process of its own, since atheris changes how modules are imported; short runs prove that it can."""
    if not HAS_WHEELS:  # hypothesis has looked already
        return
    runs = (300_000 if long_torture else 200) // (10 if name in SLOW else 1)
    seed = random.SystemRandom().randrange(1, 2**31)
    command = [sys.executable, "-m", "tests.torture.fuzz", name, "--runs", str(runs), "--seed", str(seed)]
    print("replay with:", " ".join(command[1:]))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    assert f"stat::number_of_executed_units: {runs}" in done.stderr
