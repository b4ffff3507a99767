"""The bench of growth still runs, small, and every answer is good. What it measures is not looked at."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SMALL = "--engine sqlite --sizes 300 --over 400 --live 100 --rounds 1 --seconds 0.2 --codes 400 --settle 0".split()


def test_a_small_run_fills_measures_and_cleans_up(tmp_path: Path) -> None:
    command = [sys.executable, "bench/growth.py", *SMALL, "--calm", "--ordered", "--place", tmp_path]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert run.returncode == 0, run.stdout + run.stderr
    for operation in ("bearer", "authorize", "exchange"):
        assert run.stdout.count(f"| sqlite | {operation} ") + run.stdout.count(f"| {operation} ") >= 3
        assert f"| sqlite | {operation} 300/s " in run.stdout
    assert "alone " in run.stdout and "beside load 0 rows/s" not in run.stderr + run.stdout
