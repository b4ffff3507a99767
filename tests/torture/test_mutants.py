"""Mutation testing of the rules (mutmut): take a rule out, turn it round, and a test of tests/protocol fails.

Short: the rule of PKCE with its own tests. Long: all of `protocol`. What no test can see is explained, mutant by
mutant, in survivors.md: a survivor that is not on that page fails the campaign, and so does a line without a survivor.
"""

from pathlib import Path

import pytest

from tests.torture.mutation import Mutant, explained, mutmut, sandbox, unseen, verdicts

pytestmark = pytest.mark.torture
PAGE = Path(__file__).parent / "survivors.md"
SHORT = ["src/valetkey/protocol/rules/pkce.py"], ["tests/protocol/rules/test_pkce.py"]
LONG = ["src/valetkey/protocol/*"], ["tests/protocol"]
ENOUGH = {False: 40, True: 1500}  # mutants; far fewer would mean that the campaign looks past the rules


def test_every_mutant_is_noticed_or_explained(tmp_path: Path, long_torture: bool):
    sandbox(tmp_path, *(LONG if long_torture else SHORT))
    mutmut(tmp_path, "run", "--max-children", "2")
    found = verdicts(tmp_path)
    assert len(found) > ENOUGH[long_torture]
    survivors = [mutant for mutant in unseen(tmp_path, found) if not mutant.only_words]
    said = explained(PAGE)
    strangers = [str(mutant) for mutant in survivors if (mutant.function, mutant.became) not in said]
    assert not strangers, f"{len(strangers)} of {len(found)} mutants survive unexplained:\n" + "\n".join(
        strangers
    )
    if long_torture:
        gone = set(said) - {(mutant.function, mutant.became) for mutant in survivors}
        assert not gone, f"survivors.md explains what does not survive: {sorted(gone)}"


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
    assert Mutant("rules.x", was, became).only_words is only_words


def test_the_page_is_read(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(
        "| function | line | why |\n|---|---|---|\n| `rules.pkce.s256` | `a \\| b` | It is the same. |\n"
    )
    assert explained(page) == {("rules.pkce.s256", "a | b"): "It is the same."}
