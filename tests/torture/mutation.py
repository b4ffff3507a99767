"""Mutants of the rules: mutmut makes them, one change each, and the tests of `protocol` must see each change."""

import contextlib
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents

ROOT = Path(__file__).parent.parent.parent
RULES = Path("src/valetkey/protocol")
TRIAL = Path(__file__).with_name("trial.py")
DECORATED = re.compile(r"^( *@(?:property|lru_cache.*)\n)( *def \w+)", re.MULTILINE)
CODECS = ("utf-8", "idna", "ascii", "latin-1")


@dataclass(frozen=True)
class Mutant:
    """One change: the name that wakes it, and the line before and after."""

    name: str
    was: str
    became: str

    def __str__(self) -> str:
        return f"{self.function}\n    - {self.was}\n    + {self.became}"

    @property
    def function(self) -> str:
        """Where it is, as a reader would say it."""
        module, _, mangled = self.name.removeprefix("valetkey.protocol.").rpartition(".")
        plain = re.sub(r"^x_?|__mutmut_\d+$", "", mangled).replace("ǁ", ".").strip(".")
        return f"{module}.{plain}"

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


def sandbox(place: Path, files: str) -> list[Mutant]:
    """A copy of what the tests of `protocol` need, with the mutants of the files that match asleep in it."""
    unwanted = shutil.ignore_patterns("__pycache__")
    for folder in ("src", "tests/protocol"):
        shutil.copytree(ROOT / folder, place / folder, ignore=unwanted)
    for file in (ROOT / "pyproject.toml", *(ROOT / "tests").glob("*.py")):
        shutil.copy(file, place / file.relative_to(ROOT))
    with contextlib.chdir(place):  # where mutmut looks for its settings; there are none
        return [mutant for file in sorted(RULES.glob(files)) for mutant in mutate(file)]


def mutate(file: Path) -> Iterator[Mutant]:
    """Puts the mutants of a file into it, each beside the function it is a change of.

    mutmut leaves alone what is decorated, so that it sees properties and what is cached as plain functions.
    """
    text = file.read_text()
    mutated = mutate_file_contents(str(file), DECORATED.sub(r"\2", text))
    code = mutated.code
    for decorator, function in DECORATED.findall(text):
        again = re.compile(rf"^( *@_mutmut_mutated.*\n)?{re.escape(function)}\b", re.MULTILINE)
        code = again.sub(lambda found, above=decorator: above + found[0], code)
    file.write_text(code)
    module = ".".join(file.with_suffix("").parts[1:]).removesuffix(".__init__")
    for name in mutated.mutant_names:
        yield Mutant(f"{module}.{name}", *difference(mutated, name))


def difference(mutated: MutatedFile, name: str) -> tuple[str, str]:
    """The lines that a mutant has not, and those that it has instead."""
    code = mutated.code.splitlines()
    origin = name.partition("__mutmut_")[0] + "__mutmut_orig"
    spans = [mutated.line_span_by_function_name[each] for each in (origin, name)]
    was, became = (code[span.start - 1 : span.end] for span in spans)
    lines = list(
        difflib.unified_diff(was, [line.replace(name, origin) for line in became], n=0, lineterm="")
    )[2:]
    gone, new = (" ".join(line[1:].strip() for line in lines if line[0] == sign) for sign in "-+")
    return gone, new


def verdicts(place: Path, mutants: Sequence[Mutant], tests: str) -> dict[str, str]:
    """What became of each mutant: killed, timeout, survived, or no tests. Raises CalledProcessError."""
    asked, said = place / "mutants.json", place / "verdicts.json"
    asked.write_text(json.dumps([mutant.name for mutant in mutants]))
    settled = {"CI": "1", "PYTHONPATH": str(place / "src")}  # CI: examples are drawn, not by chance
    command = [sys.executable, "-P", TRIAL, asked, said, tests]
    subprocess.run(command, cwd=place, env=os.environ | settled, check=True)
    return json.loads(said.read_text())


def explained(page: Path) -> dict[tuple[str, str], str]:
    """(function, what the line becomes) -> why no test can tell, as the page says."""
    rows = re.findall(r"^\| `([\w.]+)` \| `(.+)` \| (.+) \|$", page.read_text(), re.MULTILINE)
    return {(function, line.replace("\\|", "|")): why for function, line, why in rows}
