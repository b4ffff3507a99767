"""How a client wants its person to be there: what it may say, and when a login is too old (RFC 9470 4)."""

from dataclasses import replace as other_rules

import pytest
from msgspec.structs import replace

from tests.protocol.samples import BOOK, NOW, params, session
from valetkey.protocol.errors import InvalidRequest, UnmetAuthenticationRequirements
from valetkey.protocol.model import Session
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.prompt import NOTHING_WANTED, PATIENCE, Wanted, login_due, read, silent

REACHES = other_rules(BOOK, acr=("password", "1"))


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({}, Wanted()),
        ({"prompt": "none"}, Wanted(silent=True)),
        ({"prompt": "login"}, Wanted(login=True)),
        ({"prompt": "consent"}, Wanted(consent=True)),
        ({"prompt": "select_account"}, Wanted(consent=True)),
        ({"prompt": "login consent"}, Wanted(login=True, consent=True)),
        ({"prompt": " login  unknown "}, Wanted(login=True)),
        ({"prompt": "LOGIN"}, Wanted()),
        ({"max_age": "0"}, Wanted(max_age=0)),
        ({"max_age": "3600"}, Wanted(max_age=3600)),
        ({"acr_values": "password"}, Wanted(acr="password")),
        ({"acr_values": "gold 1 password"}, Wanted(acr="1")),
        ({"acr_values": " "}, Wanted()),
    ],
)
def test_what_is_wanted(said: dict[str, str], wanted: Wanted) -> None:
    assert read(params(**said), OAUTH21, REACHES) == wanted
    assert silent(params(**said), OAUTH21) is wanted.silent
    assert read(params(**said), CLASSIC, REACHES) is NOTHING_WANTED
    assert not silent(params(**said), CLASSIC)


def test_who_wants_to_know_when() -> None:
    assert not Wanted(silent=True, consent=True).dated
    for wanted in (Wanted(login=True), Wanted(max_age=0), Wanted(max_age=9), Wanted(acr="1")):
        assert wanted.dated


@pytest.mark.parametrize("prompt", ["none login", "consent none", "none unknown", "none  select_account"])
def test_none_goes_with_nothing_else(prompt: str) -> None:
    with pytest.raises(InvalidRequest, match="prompt=none"):
        read(params(prompt=prompt), OAUTH21, BOOK)
    assert silent(params(prompt=prompt), OAUTH21), "nobody is asked, not even about that"


@pytest.mark.parametrize("age", ["-1", "1.5", "x", "1e3", "１", "9" * 10, " 1", "+1"])
def test_ages_that_are_none(age: str) -> None:
    with pytest.raises(InvalidRequest, match="max_age"):
        read(params(max_age=age), OAUTH21, BOOK)


def test_levels_that_nobody_reaches() -> None:
    for asked, book in (("gold", REACHES), ("gold silver", REACHES), ("password", BOOK)):
        with pytest.raises(UnmetAuthenticationRequirements) as no:
            read(params(acr_values=asked), OAUTH21, book)
        assert no.value.code == "unmet_authentication_requirements"


def began(ago: int) -> Session:
    return replace(session(), created_at=NOW - ago)


@pytest.mark.parametrize(
    ("wanted", "ago", "asked", "due"),
    [
        (Wanted(), 10**6, 0, False),
        (Wanted(max_age=60), 60, 0, False),
        (Wanted(max_age=60), 61, 0, True),
        (Wanted(max_age=0), 0, 0, False),
        (Wanted(max_age=0), 1, 0, True),
        (Wanted(login=True), 0, 0, True),
        # logged in since they were asked
        (Wanted(login=True), 5, NOW - 5, False),
        (Wanted(login=True), 5, NOW - 6, False),
        (Wanted(login=True), 5, NOW - 4, True),
        (Wanted(max_age=0), 1, NOW - 1, False),
        (Wanted(max_age=0), 2, NOW - 1, True),
        # long ago, or to come
        (Wanted(login=True), PATIENCE, NOW - PATIENCE, False),
        (Wanted(login=True), PATIENCE, NOW - PATIENCE - 1, True),
        (Wanted(login=True), 5, NOW + 5, True),
    ],
)
def test_when_a_login_is_due(wanted: Wanted, ago: int, asked: int, due: bool) -> None:
    assert login_due(wanted, began(ago), asked, NOW) is due


def test_words_stand_between_spaces_and_nothing_else() -> None:
    """RFC 6749 3.3 has it so for scopes; OIDC Core 3.1.2.1 for these."""
    assert read(params(prompt="none "), OAUTH21, BOOK) == Wanted(silent=True)
    assert read(params(prompt="login\tconsent"), OAUTH21, BOOK) == Wanted()
    with pytest.raises(UnmetAuthenticationRequirements):
        read(params(acr_values="gold\tpassword"), OAUTH21, REACHES)


def test_numbers_as_long_as_they_may_be() -> None:
    assert read(params(max_age="9" * 9), OAUTH21, BOOK).max_age == 999_999_999
