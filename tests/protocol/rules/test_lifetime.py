"""When a token ends: as it was given, and no later than its client's rules of today give any (G4, C15)."""

import pytest
from msgspec.structs import replace

from tests.protocol.samples import BOOK, NOW, account, authorization, client, digest
from valetkey.protocol.facts import BearerFacts
from valetkey.protocol.model import AccessToken, Client, Registration
from valetkey.protocol.rules.lifetime import held, still_held


@pytest.mark.parametrize(
    ("profile", "given", "ends"),
    [
        ("classic", None, None),
        ("classic", NOW + 9, NOW + 9),
        ("oauth20", None, NOW + 3600),
        ("oauth21", None, NOW + 3600),
        ("fapi2", None, NOW + 3600),
        ("oauth21", NOW + 9, NOW + 9),
        ("oauth21", NOW + 7200, NOW + 7200),  # it was told to end then
    ],
)
def test_no_token_lives_longer_than_its_clients_rules_of_today_let_one(
    profile: str, given: int | None, ends: int | None
) -> None:
    token = AccessToken(digest("t"), authorization(), NOW, given)
    known = BearerFacts(token, account(), client(profile=profile))
    assert held(known, BOOK) == replace(known, token=replace(token, expires_at=ends))


@pytest.mark.parametrize(
    ("holder", "lives"),
    [
        (None, False),
        (client(), True),
        (client(disabled_at=NOW), False),
        (client(registered=Registration(exchanged_after=NOW - 1)), True),
        (client(registered=Registration(exchanged_after=NOW)), False),
        (client(registered=Registration(exchanged_after=NOW + 1)), False),
    ],
)
def test_who_got_a_token_by_exchange_holds_it_until_it_is_taken_back(
    holder: Client | None, lives: bool
) -> None:
    assert still_held(AccessToken(digest("t"), authorization(), NOW, None), holder) is lives


def test_what_is_not_there_has_no_end() -> None:
    assert held(None, BOOK) is None
