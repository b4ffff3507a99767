"""The bench still runs: every operation once, small, every answer good. What it measures is not looked at."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SMALL = (
    "--engine sqlite --rounds 1 --seconds 0.2 --codes 100 --connections 4 --idle 0.2 --peers floor".split()
)


def test_a_small_run_measures_everything_and_every_answer_is_good(tmp_path: Path) -> None:
    places = ["--place", tmp_path, "--json", tmp_path / "rounds"]
    command = [sys.executable, "bench/run.py", *SMALL, *places]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert run.returncode == 0, run.stdout + run.stderr
    exchanges = ("exchange", "exchange-oauth21", "exchange-refresh", "refresh")
    ours = ("empty", "authorize", *exchanges, "bearer", "introspect", "client-credentials", "login")
    for operation in (*ours, "bearer beside logins"):
        assert f"| valetkey sqlite | {operation} " in run.stdout
    for operation in ("empty", "exchange", "bearer", "introspect"):
        assert f"| floor sqlite    | {operation} " in run.stdout
    for goal in ("exchange / floor", "bearer / floor", "login / argon2id alone", "bearer beside logins, p99"):
        assert f"| {goal} " in run.stdout
    assert "nothing in 0 s" in run.stdout
    assert "`valetkey --help`: " in run.stdout
    assert (tmp_path / "rounds").read_text().startswith("[")
