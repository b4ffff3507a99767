"""What a peer goes through: logged into by its own pages, asked, its codes exchanged once; and what is made of it."""

import argparse
import contextlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
WANTED = ("wire", "servers", "peers", "rounds", "goals", "install", "report", "run")


@pytest.fixture(scope="module")
def bench():
    """Its modules, which are a program's, not a package's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "bench")
        before = set(sys.modules)
        try:
            yield argparse.Namespace(**{name: __import__(name) for name in WANTED})
        finally:
            for name in set(sys.modules) - before:
                if str(getattr(sys.modules[name], "__file__", "")).startswith(str(ROOT / "bench")):
                    del sys.modules[name]


def small(bench: ModuleType):
    good, ask = bench.servers.Good, bench.peers.Ask
    asks = {
        "authorize": ask(bench.peers.asked("/authorize", "read"), good(303, bench.peers.LED_BACK)),
        "exchange": ask(
            "/token", good(200, bench.peers.A_TOKEN), form=bench.peers.exchanged("s", pkce=False)
        ),
        "bearer": ask("/me", good(200, '"who": "user'), (bench.peers.BEARER,)),
    }
    command = (sys.executable, str(ROOT / "tests/bench/small_peer.py"), "{port}")
    return bench.peers.Peer("small", "memory", asks, command, "", form={"username": "user{i}"})


def test_a_peer_is_entered_by_its_own_pages_and_its_codes_are_exchanged_once(bench, tmp_path):
    options = argparse.Namespace(
        rounds=1, seconds=0.1, connections=2, operations=["authorize", "exchange", "bearer"]
    )
    run = bench.rounds.Bench(options, bench.servers.compiled(tmp_path))
    peer = bench.peers.PeerServer("oidcp memory", "memory", tmp_path / "small", peer=small(bench))
    run.servers = [peer]
    try:
        peer.start(2, 0)
        run.run()
        assert run.bad == 0
        assert set(run.found) == {("oidcp memory", name) for name in options.operations}
        assert all(measures["rate"][0] > 0 for measures in run.found.values())
        spent = run.asked(bench.rounds.OPERATIONS[2], 1)
        assert bench.servers.load(run.binary, peer, spent)["bad"] > 0  # what was exchanged is spent
    finally:
        peer.stop()


def test_requests_come_out_of_the_file_as_they_went_in(bench, tmp_path):
    requests = [bench.wire.get("a.test", "/x", "Cookie: a=b"), bench.wire.post("a.test", "/y", {"a": "b c"})]
    bench.wire.write(tmp_path / "requests", requests)
    assert list(bench.wire.read(tmp_path / "requests")) == requests
    assert requests[1].endswith(b"Content-Length: 5\r\n\r\na=b+c")


def measured(bench, rates: dict[tuple[str, str], list[float]], loads: list[float]):
    run = bench.rounds.Bench(argparse.Namespace(), Path())
    for key, found in rates.items():
        run.found[key] |= {"rate": found, "cpu": [1e6 / rate for rate in found], "load": loads}
    return run


def test_a_goal_counts_the_least_ratio_and_each_round_by_itself(bench):
    rates = {
        ("valetkey sqlite", "exchange"): [800.0, 900.0, 100.0],
        ("valetkey sqlite", "exchange-oauth21"): [790.0, 850.0, 99.0],
        ("oidcp sqlite", "exchange"): [100.0, 100.0, 10.0],
    }
    (row,) = bench.goals.goals(measured(bench, rates, [0.0] * 3))
    assert row == ["exchange / oidcp, durable", "sqlite", ">= 8", "8.50", "8.50", "yes"]


def test_the_generators_share_of_two_cores_is_taken_out(bench):
    one, two = ("valetkey postgresql", "bearer"), ("valetkey postgresql, 2 workers", "bearer")
    (row,) = bench.goals.goals(measured(bench, {one: [1000.0], two: [1500.0]}, [0.5]))
    assert row[3] == "2.00"  # 1.5 cores gave 1,500


def test_figures_go_where_the_page_has_its_place_for_them(bench, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{bench.report.BEGIN}\nold\n{bench.report.END}\nafter\n")
    bench.report.write(page, "new\n")
    assert page.read_text() == f"before\n{bench.report.BEGIN}\n\nnew\n\n{bench.report.END}\nafter\n"
    assert bench.report.BEGIN in (ROOT / "docs/performance.md").read_text()


def test_what_cannot_be_installed_says_why(bench, tmp_path):
    with pytest.raises(bench.install.Missing, match="sh: no such luck"):
        bench.install.run("sh", "-c", "echo sh: no such luck >&2; exit 3")


def test_a_peer_that_cannot_be_had_is_left_out_with_a_line(bench, tmp_path, monkeypatch, capsys):
    def no_package(_: Path) -> None:
        raise bench.install.Missing("npm: no such package")

    monkeypatch.setitem(bench.install.NEEDS, "", no_package)
    line = bench.run.Line(argparse.Namespace(place=tmp_path), tmp_path, contextlib.ExitStack())
    line.peer(small(bench))
    assert line.servers == []
    assert capsys.readouterr().err == "small: left out: npm: no such package\n"


def test_the_locks_name_no_address_and_have_a_digest_for_everything():
    lock = (ROOT / "bench/peers/package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert lock.count('"version"') <= lock.count('"integrity"') + 1
    assert "--hash=sha256:" in (ROOT / "bench/peers/requirements.lock").read_text()
