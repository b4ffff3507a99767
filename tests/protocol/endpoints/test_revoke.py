"""Revocation as tables: what ends, whose it must be, and that the unknown is as good as given back."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.protocol.endpoints.test_introspect import (
    ACCESS,
    APP,
    FRESH,
    REFRESH,
    STRANGER,
    TOKEN,
    by_assertion,
    question,
)
from tests.protocol.samples import BOOK, NOW, account, authorization, public
from valetkey.protocol.changes import Changes, Expire, Once, Revoke
from valetkey.protocol.decision import Refused
from valetkey.protocol.endpoints import revoke
from valetkey.protocol.facts import BearerFacts, ExchangeFacts, Known
from valetkey.protocol.model import Client, Terms
from valetkey.protocol.profiles import PROFILES

SPA = public(id="app", profile="oauth21")
MINE = BearerFacts(TOKEN, account(), APP)
EXCHANGED = BearerFacts(replace(TOKEN, terms=Terms(client="stranger")), account(), APP)


def decide(caller: Client, token: str, **facts: Any) -> revoke.Revoked | Refused:
    return revoke.decide(question(caller, token), ExchangeFacts(caller, **facts), BOOK, NOW)


@pytest.mark.parametrize(
    ("caller", "token", "facts", "changes"),
    [
        (APP, ACCESS, {"subject": MINE}, (Expire(b"t", NOW),)),
        (SPA, ACCESS, {"subject": MINE}, (Expire(b"t", NOW),)),
        (STRANGER, ACCESS, {"subject": EXCHANGED}, (Expire(b"t", NOW),)),
        (APP, ACCESS, {}, ()),
        (APP, "nonsense", {}, ()),
        (APP, REFRESH, {"refresh": FRESH}, (Revoke(77, NOW),)),
        (SPA, REFRESH, {"refresh": FRESH}, (Revoke(77, NOW),)),
        (APP, REFRESH, {"refresh": replace(FRESH, spent_at=NOW - 5)}, (Revoke(77, NOW),)),
        (
            APP,
            REFRESH,
            {"refresh": replace(FRESH, authorization=authorization(revoked_at=1))},
            (Revoke(77, NOW),),
        ),
        (APP, REFRESH, {}, ()),
    ],
)
def test_what_ends(caller: Client, token: str, facts: dict[str, Any], changes: Changes):
    assert decide(caller, token, **facts) == revoke.Revoked(changes)


@pytest.mark.parametrize(
    ("caller", "token", "facts"),
    [
        (STRANGER, ACCESS, {"subject": MINE}),
        (STRANGER, REFRESH, {"refresh": FRESH}),
        (APP, ACCESS, {"subject": EXCHANGED}),
    ],
)
def test_what_another_holds_stays(caller: Client, token: str, facts: dict[str, Any]):
    decision = decide(caller, token, **facts)
    assert isinstance(decision, Refused)
    assert (decision.error.code, decision.error.reason) == ("invalid_request", "token_not_yours")
    assert decision.changes == ()


@pytest.mark.parametrize("known", [None, replace(APP, disabled_at=NOW), replace(APP, profile="classic")])
def test_who_may_not_ask(known: Client | None):
    decision = revoke.decide(question(APP), ExchangeFacts(known, subject=MINE), BOOK, NOW)
    assert isinstance(decision, Refused) and decision.error.code == "invalid_client"
    assert decision.profile is PROFILES["oauth21"]
    assert decision.changes == ()


def test_an_assertion_is_used_up_also_when_the_answer_is_no(monkeypatch: pytest.MonkeyPatch):
    by_assertion(monkeypatch)
    once, known = Once(b"the keys", NOW), Known("the keys")
    assert decide(APP, ACCESS, subject=MINE, known=known).changes == (once, Expire(b"t", NOW))
    assert decide(STRANGER, ACCESS, subject=MINE, known=known).changes == (once,)
