"""Mutants of the rules: mutmut changes one thing after the other, and the tests of `protocol` must see each change."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
NOTICED = ("killed", "timeout", "segfault")
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = {mutated}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider"]
"""
CODECS = ("utf-8", "idna", "ascii", "latin-1")


@dataclass(frozen=True)
class Mutant:
    """One change that no test saw: where, and the line before and after."""

    function: str
    was: str
    became: str

    def __str__(self) -> str:
        return f"{self.function}\n    - {self.was}\n    + {self.became}"

    @property
    def only_words(self) -> bool:
        """The words of a sentence, or capitals in the name of a codec (which Python reads in any case)."""
        was, became = (re.findall(r'"([^"]*)"', line) for line in (self.was, self.became))
        bare = [re.sub(r'"[^"]*"', "", line) for line in (self.was, self.became)]
        if bare[0] != bare[1] or len(was) != len(became):
            return False
        changed = [(old, new) for old, new in zip(was, became, strict=True) if old != new]
        return all(
            (" " in old.strip() and old.casefold() == new.casefold().removeprefix("xx").removesuffix("xx"))
            or (old in CODECS and old == new.casefold())
            for old, new in changed
        )


def sandbox(place: Path, mutated: Sequence[str], tests: Sequence[str]) -> None:
    """A copy of what the tests of `protocol` need, so that nothing here is ever changed."""
    shutil.copytree(ROOT / "src", place / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(
        ROOT / "tests/protocol", place / "tests/protocol", ignore=shutil.ignore_patterns("__pycache__")
    )
    for file in (ROOT / "tests").glob("*.py"):
        shutil.copy(file, place / "tests")
    said = SETTINGS.format(mutated=list(mutated), tests=list(tests))
    (place / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + said)


def mutmut(place: Path, *words: str) -> str:
    """What mutmut said. Raises CalledProcessError."""
    settled = {"CI": "1", "PYTHONDONTWRITEBYTECODE": "1"}  # examples that are drawn, not by chance
    command = [sys.executable, "-m", "mutmut", *words]
    done = subprocess.run(
        command, cwd=place, env=os.environ | settled, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(f"mutmut {words[0]}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def verdicts(place: Path) -> dict[str, str]:
    """Every mutant and what became of it."""
    found = re.findall(r"^\s+(\S+): (.+)$", mutmut(place, "results", "--all", "true"), re.MULTILINE)
    return dict(found)


def unseen(place: Path, all_of_them: dict[str, str]) -> Iterator[Mutant]:
    """The mutants that no test noticed."""
    for name, verdict in all_of_them.items():
        if verdict not in NOTICED:
            assert verdict in ("survived", "no tests"), f"{name}: {verdict}"
            yield shown(name, mutmut(place, "show", name))


def shown(name: str, difference: str) -> Mutant:
    """A mutant out of its diff."""
    module, _, function = name.removeprefix("valetkey.protocol.").rpartition(".")
    plain = re.sub(r"^x_?|__mutmut_\d+$", "", function).replace("ǁ", ".").strip(".")
    sides = {
        sign: " ".join(line[1:].strip() for line in difference.splitlines()[3:] if line[:1] == sign)
        for sign in "-+"
    }
    return Mutant(f"{module}.{plain}", sides["-"], sides["+"])


def explained(page: Path) -> dict[tuple[str, str], str]:
    """(function, what the line becomes) -> why no test can tell, as the page says."""
    rows = re.findall(r"^\| `([\w.]+)` \| `(.+)` \| (.+) \|$", page.read_text(), re.MULTILINE)
    return {(function, line.replace("\\|", "|")): why for function, line, why in rows}
