"""python -m tests.torture.fuzz TARGET FILE: run one input again. With --runs N --seed S: fuzz it, led by coverage."""

import argparse
import sys
import tempfile
from pathlib import Path

parser = argparse.ArgumentParser(prog="python -m tests.torture.fuzz", description=__doc__)
parser.add_argument("target")
parser.add_argument("file", nargs="*", type=Path)
parser.add_argument("--runs", type=int, default=0)
parser.add_argument("--seed", type=int, default=1)
asked = parser.parse_args()

if asked.runs:
    import atheris

    with atheris.instrument_imports(include=["valetkey", "tests.torture.fuzz"]):
        from tests.torture.fuzz.catalogue import TARGETS
else:
    from tests.torture.fuzz.catalogue import TARGETS

target = TARGETS[asked.target]
if not asked.runs:
    for file in asked.file:
        target.run(file.read_bytes())
    sys.exit()

with tempfile.TemporaryDirectory() as kept:
    for number, seed in enumerate(target.seeds(asked.target)):
        Path(kept, f"seed-{number}").write_bytes(seed)
    words = Path(kept, "words.dict")
    words.write_text(
        "".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in target.words)
    )
    found = Path(tempfile.gettempdir(), f"valetkey-fuzz-{asked.target}-")
    print(f"replay with: python -m tests.torture.fuzz {asked.target} --runs {asked.runs} --seed {asked.seed}")
    print(
        f"and a single input with: python -m tests.torture.fuzz {asked.target} {found}crash-...", flush=True
    )
    options = [
        f"-runs={asked.runs}",
        f"-seed={asked.seed}",
        "-timeout=5",
        "-max_len=2000",
        "-rss_limit_mb=1024",
    ]
    options += [f"-dict={words}", f"-artifact_prefix={found}", "-print_final_stats=1", kept]
    atheris.Setup([sys.argv[0], *options], target.run)
    atheris.Fuzz()
