"""Introspection as tables: who is told what of which token, and to whom it is as dead as what never was."""

import base64
from dataclasses import replace as other_rules
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.protocol.samples import (
    BOOK,
    ISSUER,
    NOW,
    SECRET,
    account,
    authorization,
    client,
    headers,
    params,
    public,
    query,
)
from valetkey.protocol.changes import Once
from valetkey.protocol.client_auth import METHODS
from valetkey.protocol.decision import Refused
from valetkey.protocol.endpoints import introspect
from valetkey.protocol.facts import BearerFacts, ExchangeFacts, Known
from valetkey.protocol.model import NOBODY, AccessToken, Client, RefreshToken, Registration, Terms
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.resource import Resource
from valetkey.protocol.rules import token_question
from valetkey.protocol.rules.checksum import checksummed

ACCESS = checksummed("vk_at_" + "0" * 12 + "x" * 43)
REFRESH = checksummed("vk_rt_" + "0" * 12 + "x" * 43)
PHOTOS = "https://photos.test/"
OURS = other_rules(BOOK, resources={PHOTOS: Resource(PHOTOS, client="photos")})
APP = client(profile="oauth21")
SERVER = client(id="server", type="service", profile="oauth21", registered=Registration(introspects=True))
STRANGER = client(id="stranger", profile="oauth21")
TOKEN = AccessToken(b"t", authorization(), NOW - 9, NOW + 60)
PLAIN = {
    "active": True,
    "iss": ISSUER,
    "sub": "1",
    "aud": ISSUER,
    "client_id": "app",
    "username": "snoopdogg",
    "scope": "basic",
    "iat": NOW - 9,
    "nbf": NOW - 9,
    "exp": NOW + 60,
    "token_type": "Bearer",
}
DEAD = {"active": False}


def question(caller: Client, token: str = ACCESS, **more: str) -> token_question.TokenQuestion:
    shown = {} if caller.type == "spa" else {"client_secret": SECRET}
    fields = {"client_id": caller.id, "token": token} | shown | more
    return token_question.read(params(**fields), query(), headers(), PROFILES["oauth21"])


def facts(caller: Client | None, token: AccessToken = TOKEN, **more: Any) -> ExchangeFacts:
    known = {"account": account(), "client": APP} | more
    return ExchangeFacts(caller, subject=BearerFacts(token, **known))


def told(caller: Client, token: AccessToken = TOKEN, **more: Any) -> dict[str, object]:
    decision = introspect.decide(question(caller), facts(caller, token, **more), OURS, NOW)
    assert isinstance(decision, introspect.Introspected) and decision.caller is caller
    return decision.told


def terms(**said: Any) -> AccessToken:
    return replace(TOKEN, terms=Terms(**said))


@pytest.mark.parametrize(
    ("caller", "token", "answer"),
    [
        (APP, TOKEN, PLAIN),
        (SERVER, TOKEN, PLAIN),
        (STRANGER, TOKEN, DEAD),
        (APP, terms(resource=(PHOTOS,)), PLAIN | {"aud": PHOTOS}),
        (SERVER, terms(resource=(PHOTOS,)), DEAD),  # it is meant for another
        (replace(STRANGER, id="photos"), terms(resource=(PHOTOS,)), PLAIN | {"aud": PHOTOS}),
        (replace(STRANGER, id="photos"), TOKEN, DEAD),
        (
            replace(STRANGER, id="photos"),
            terms(resource=("https://other.test/", PHOTOS)),
            PLAIN | {"aud": ["https://other.test/", PHOTOS]},
        ),
        (SERVER, terms(resource=("https://other.test/",)), DEAD),
        (APP, terms(client="stranger"), DEAD),  # exchanged: it is the other's now
        (STRANGER, terms(client="stranger"), PLAIN | {"client_id": "stranger"}),
        (SERVER, terms(jkt="k"), PLAIN | {"cnf": {"jkt": "k"}, "token_type": "DPoP"}),
        (SERVER, terms(x5t="c"), PLAIN | {"cnf": {"x5t#S256": "c"}}),
    ],
)
def test_who_is_told_what(caller: Client, token: AccessToken, answer: dict[str, object]):
    assert told(caller, token) == answer


def test_a_token_without_an_end_has_one_once_its_app_lives_under_rules_that_give_one():
    endless, young = replace(TOKEN, expires_at=None), replace(TOKEN, expires_at=None, created_at=NOW - 60)
    classic = replace(APP, profile="classic")
    assert told(SERVER, endless, client=classic)["active"] is True
    assert "exp" not in told(SERVER, young, client=classic)
    assert told(SERVER, young)["exp"] == NOW + 3540
    assert told(SERVER, replace(endless, created_at=NOW - 3600)) == DEAD


def test_an_apps_own_token_has_no_person():
    own = replace(TOKEN, authorization=authorization(account_id=NOBODY))
    answer = {name: value for name, value in PLAIN.items() if name != "username"}
    assert told(SERVER, own, account=None) == answer | {"sub": "app"}


@pytest.mark.parametrize(
    ("token", "more"),
    [
        (replace(TOKEN, expires_at=NOW), {}),
        (replace(TOKEN, authorization=authorization(revoked_at=NOW - 1)), {}),
        (TOKEN, {"account": account(disabled_at=NOW)}),
        (TOKEN, {"client": replace(APP, disabled_at=NOW)}),
    ],
)
def test_d10_what_has_ended_is_dead(token: AccessToken, more: dict[str, Any]):
    assert told(SERVER, token, **more) == DEAD


def test_a_token_nobody_knows_is_dead():
    decision = introspect.decide(question(SERVER), ExchangeFacts(SERVER), OURS, NOW)
    assert isinstance(decision, introspect.Introspected) and decision.told == DEAD


def test_a_jwt_has_its_name():
    def part(data: object) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(data)).rstrip(b"=").decode()

    for name in ("a", "ab", "abc", "abcd"):
        token = f"{part({'alg': 'ES256'})}.{part({'jti': name})}.sig"
        decision = introspect.decide(question(SERVER, token), facts(SERVER), OURS, NOW)
        assert isinstance(decision, introspect.Introspected) and decision.told == PLAIN | {"jti": name}


FRESH = RefreshToken(b"r", authorization(), NOW - 9, NOW + 60)
RENEWS = {
    "active": True,
    "iss": ISSUER,
    "sub": "1",
    "client_id": "app",
    "username": "snoopdogg",
    "scope": "basic",
    "iat": NOW - 9,
    "exp": NOW + 60,
}


@pytest.mark.parametrize(
    ("caller", "refresh", "person", "answer"),
    [
        (APP, FRESH, account(), RENEWS),
        (APP, replace(FRESH, terms=Terms(scope=("likes",))), account(), RENEWS | {"scope": "likes"}),
        (
            APP,
            replace(FRESH, terms=Terms(scope=("likes", "basic"))),
            account(),
            RENEWS | {"scope": "likes basic"},
        ),
        (SERVER, FRESH, account(), DEAD),
        (STRANGER, FRESH, account(), DEAD),
        (APP, None, None, DEAD),
        (APP, FRESH, None, DEAD),
        (APP, replace(FRESH, expires_at=NOW), account(), DEAD),
        (APP, replace(FRESH, spent_at=NOW - 1), account(), DEAD),
        (APP, replace(FRESH, authorization=authorization(revoked_at=NOW)), account(), DEAD),
        (APP, FRESH, account(disabled_at=NOW), DEAD),
    ],
)
def test_refresh_tokens(caller: Client, refresh: RefreshToken | None, person: Any, answer: dict[str, object]):
    known = ExchangeFacts(caller, account=person, refresh=refresh)
    decision = introspect.decide(question(caller, REFRESH), known, OURS, NOW)
    assert isinstance(decision, introspect.Introspected) and decision.told == answer


@pytest.mark.parametrize(
    ("caller", "known", "more", "reason"),
    [
        (APP, None, {}, "client_unknown"),
        (APP, replace(APP, disabled_at=NOW), {}, "client_unknown"),
        (APP, replace(APP, profile="classic"), {}, "client_unknown"),
        (APP, APP, {"client_secret": "wrong"}, "secret_wrong"),
        (public(profile="oauth21"), public(profile="oauth21"), {}, "introspect_public"),
    ],
)
def test_who_may_not_ask(caller: Client, known: Client | None, more: dict[str, str], reason: str):
    decision = introspect.decide(question(caller, **more), facts(known), OURS, NOW)
    assert isinstance(decision, Refused)
    assert (decision.error.code, decision.error.reason) == ("invalid_client", reason)
    assert decision.profile is PROFILES["oauth21"]


def by_assertion(monkeypatch: pytest.MonkeyPatch) -> None:
    """A way to authenticate that is good for once, and notes what it was held against."""
    noted = other_rules(
        METHODS["client_secret_post"],
        check=lambda client, shown, known, book, now: (Once(known.keys.encode(), now),),
    )
    monkeypatch.setitem(METHODS, "client_secret_post", noted)


def test_what_authentication_must_write_is_written(monkeypatch: pytest.MonkeyPatch):
    by_assertion(monkeypatch)
    known = replace(facts(APP), known=Known("the keys"))
    decision = introspect.decide(question(APP), known, OURS, NOW)
    assert decision.changes == (Once(b"the keys", NOW),)
