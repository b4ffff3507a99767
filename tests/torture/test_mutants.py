"""Mutation testing of the rules (mutmut): take a rule out, turn it round, and a test of tests/protocol fails.

Short: the rule of PKCE with its own tests. Long: all of `protocol`. What no test can see is explained, mutant by
mutant, in survivors.md: a survivor that is not on that page fails the campaign, and so does a line without a survivor.
"""

import pkgutil
from pathlib import Path

import pytest

from tests.torture.mutation import Mutant, explained, sandbox, verdicts

pytestmark = pytest.mark.torture
PAGE = Path(__file__).parent / "survivors.md"
SHORT = "rules/pkce.py", "tests/protocol/rules/test_pkce.py"
ENOUGH = {
    SHORT[0]: 40,
    "**/*.py": 5000,
}  # mutants; far fewer would mean that the campaign looks past the rules


def test_every_mutant_is_noticed_or_explained(
    tmp_path: Path, long_torture: bool, pytestconfig: pytest.Config
):
    files = pytestconfig.getoption("--mutants")
    files, tests = (files, "tests/protocol") if long_torture else SHORT
    mutants = [mutant for mutant in sandbox(tmp_path, files) if not mutant.only_words]
    assert len(mutants) > ENOUGH.get(files, 0)
    found = verdicts(tmp_path, mutants, tests)
    survivors = [mutant for mutant in mutants if found[mutant.name] in ("survived", "no tests")]
    said = explained(PAGE)
    strangers = [str(mutant) for mutant in survivors if (mutant.function, mutant.became) not in said]
    count = f"{len(strangers)} of {len(found)} mutants survive unexplained"
    assert not strangers, "\n".join((count, *strangers))
    tried = {mutant.function for mutant in mutants}
    alive = {(mutant.function, mutant.became) for mutant in survivors}
    gone = sorted(each for each in said if each[0] in tried and each not in alive)
    assert not gone, f"survivors.md explains what does not survive: {gone}"


@pytest.mark.parametrize(
    ("was", "became", "only_words"),
    [
        ('raise InvalidGrant("used", "use PKCE")', 'raise InvalidGrant("used", "use pkce")', True),
        ('raise InvalidGrant("used", "use PKCE")', 'raise InvalidGrant("USED", "use PKCE")', False),
        ('text.decode("utf-8")', 'text.decode("UTF-8")', True),
        ('raise Untrusted("jti", "has no jti")', 'raise Untrusted("jti", "XXhas no jtiXX")', True),
        ('raise Untrusted("jti", "has no jti")', 'raise Untrusted("XXjtiXX", "has no jti")', False),
        ('raise Untrusted("jti", "has no jti")', 'raise Untrusted("jti", None)', False),
        ('" ".join(scope)', '"XX XX".join(scope)', False),
        ('values.get("code")', 'values.get("CODE")', False),
        ("a <= b", "a < b", False),
    ],
)
def test_words_are_passed_over_in_sentences_only(was: str, became: str, only_words: bool):
    assert Mutant("valetkey.protocol.rules.x_y__mutmut_1", was, became).only_words is only_words


def test_the_page_is_read(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(
        "| function | line | why |\n|---|---|---|\n| `rules.pkce.s256` | `a \\| b` | It is the same. |\n"
    )
    assert explained(page) == {("rules.pkce.s256", "a | b"): "It is the same."}


def test_the_page_names_what_there_is_and_nothing_twice():
    for function, _ in explained(PAGE):
        assert callable(pkgutil.resolve_name(f"valetkey.protocol.{function}"))
    assert len(explained(PAGE)) == PAGE.read_text().count("\n| `")
