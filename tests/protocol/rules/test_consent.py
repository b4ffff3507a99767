"""Consent: who must be asked, and for what (classic.md 2, H8)."""

import pytest

from tests.protocol.samples import NOW, client, consent, public
from valetkey.protocol.model import NOBODY, Client, Consent
from valetkey.protocol.rules.consent import asks_always, merged, still_to_ask

ALL = ("basic", "likes")


@pytest.mark.parametrize(
    ("app", "before", "remember", "in_front", "ask"),
    [
        (client(), None, True, False, ALL),
        (client(), consent(*ALL), True, False, None),
        (client(), consent("likes", "basic", "comments"), True, False, None),
        (client(), consent("basic"), True, False, ("likes",)),
        (client(), consent(), True, False, ALL),
        (client(), consent(*ALL), False, False, ALL),  # [consent] remember = false
        (client(), consent(*ALL), True, True, ALL),  # the implicit flow
        (client(type="service"), consent(*ALL), True, False, None),
        (public(), consent(*ALL), True, False, ALL),
        (public(type="native"), consent(*ALL), True, False, ALL),
    ],
)
def test_what_is_still_to_ask(
    app: Client, before: Consent | None, remember: bool, in_front: bool, ask: tuple[str, ...] | None
) -> None:
    assert still_to_ask(app, ALL, before, remember, in_front) == ask


@pytest.mark.parametrize(
    ("owner", "redirect_uri", "in_front", "always"),
    [
        (9, "https://rp.test/cb", False, False),
        (9, "https://rp.test/cb", True, True),
        (9, "http://127.0.0.1:9/cb", False, False),
        (NOBODY, "https://rp.test/cb", False, False),
        (NOBODY, "http://127.0.0.1:9/cb", False, True),
        (NOBODY, "http://[::1]/", False, True),
        (NOBODY, "http://LOCALHOST:1/cb", False, True),
        (NOBODY, "com.example.app:/cb", False, False),
    ],
)
def test_where_a_remembered_yes_says_nothing(
    owner: int, redirect_uri: str, in_front: bool, always: bool
) -> None:
    assert asks_always(client(owner_id=owner), redirect_uri, in_front) is always


def test_asking_for_nothing_is_still_asking() -> None:
    assert still_to_ask(client(), (), None, True, False) == ()
    assert still_to_ask(client(), (), consent("basic"), True, False) is None


@pytest.mark.parametrize(
    ("before", "scope", "kept"),
    [
        (None, ("basic",), ("basic",)),
        (consent("basic"), ("basic", "likes"), ("basic", "likes")),
        (consent("comments", "basic"), ("basic", "likes"), ("comments", "basic", "likes")),
    ],
)
def test_what_is_remembered(before: Consent | None, scope: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert merged("app", scope, before, 1, NOW) == Consent(1, "app", kept, NOW)
