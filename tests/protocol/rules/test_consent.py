"""Consent: who must be asked, and for what (classic.md 2, H8)."""

import pytest

from tests.protocol.samples import NOW, client, consent, public
from valetkey.protocol.model import Client, Consent
from valetkey.protocol.rules.consent import merged, still_to_ask

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
