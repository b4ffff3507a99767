"""A token for another that goes further (RFC 8693; CVE-2026-9097, -9094, GHSA-7qjx-gp9h-65qj)."""

import json
from dataclasses import replace as other_rules
from typing import Any

import pytest
from msgspec.structs import replace

from tests.protocol.samples import BOOK, NOW, account, authorization, client, params, public
from valetkey.protocol.decision import Granted
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.facts import BearerFacts, ExchangeFacts
from valetkey.protocol.grants.token_exchange import ACCESS_TOKEN, DEEPEST, TOKEN_EXCHANGE, decide, lasts
from valetkey.protocol.model import NOBODY, AccessToken, Client, Registration, Terms
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.grant import Proven

API, OTHER = "https://api.test/", "https://other.test/"
MAY = Registration(exchanges_of=("app",), exchanges_for=(API,))
ASKED = {"subject_token": "t", "subject_token_type": ACCESS_TOKEN}
ACTOR = {"actor_token": "a", "actor_token_type": ACCESS_TOKEN}
ROOT = authorization(scope=("basic", "likes"))


def gateway(**more: Any) -> Client:
    """The client that exchanges; "app" is the one whose token it was handed."""
    return client(**{"id": "gateway", "type": "service", "registered": MAY, **more})


def facts(root: Any = ROOT, terms: Terms = Terms(), **more: Any) -> BearerFacts:  # noqa: B008
    token = AccessToken(b"t", root, NOW - 60, NOW + 600, terms)
    return replace(BearerFacts(token, account(), client()), **more)


def own(**more: Any) -> BearerFacts:
    """A token that the gateway was given for itself."""
    root = authorization(account_id=NOBODY, client_id="gateway")
    return replace(BearerFacts(AccessToken(b"a", root, NOW, NOW + 60), None, gateway()), **more)


def outcome(
    pairs: dict[str, str],
    subject: BearerFacts | None = facts(),  # noqa: B008
    app: Client = gateway(),  # noqa: B008
    actor: BearerFacts | None = None,
    sender: Terms = Terms(),  # noqa: B008
) -> Granted | OAuthError:
    known = ExchangeFacts(app, subject=subject, actor=actor)
    try:
        return decide(Proven(params(**ASKED | pairs), app, OAUTH21, known, BOOK, NOW, sender))
    except OAuthError as error:
        return error


def granted(*given: Any, **more: Any) -> Granted:
    result = outcome(*given, **more)
    assert isinstance(result, Granted), result
    return result


def test_what_must_be_bound_goes_on_bound() -> None:
    """C15: the app lives under fapi2, the gateway does not."""
    strict = facts(client=client(profile="fapi2"))
    refused = outcome({}, strict)
    assert isinstance(refused, OAuthError)
    assert (refused.code, refused.reason) == ("invalid_request", "exchange_unbound")
    for sender in (Terms(jkt="k"), Terms(x5t="c")):
        terms = granted({}, strict, sender=sender).terms
        assert (terms.jkt, terms.x5t) == (sender.jkt, sender.x5t)


def test_a_token_is_exchanged_under_the_same_authorization() -> None:
    said = granted({})
    assert said == Granted(
        ROOT,
        account(),
        OAUTH21,
        600,
        (),
        Terms(("basic", "likes"), (API,), actor='{"sub":"gateway"}', client="gateway"),
        issued_token_type=ACCESS_TOKEN,
    )
    assert said.renew is None and not said.new


@pytest.mark.parametrize(
    ("pairs", "more", "resource"),
    [
        ({"resource": API}, {}, (API,)),
        ({"audience": API}, {}, (API,)),
        ({"resource": API, "audience": "logs"}, {"exchanges_for": (API, "logs")}, (API, "logs")),
        ({}, {"exchanges_for": (API, "logs")}, (API, "logs")),
        ({}, {"exchanges_for": ()}, ()),
    ],
)
def test_for_which_audience(pairs: dict[str, str], more: dict[str, Any], resource: tuple[str, ...]) -> None:
    app = gateway(registered=Registration(**{"exchanges_of": ("app",), "exchanges_for": (API,), **more}))
    assert granted(pairs, app=app).terms.resource == resource


def test_the_audience_of_the_token_handed_in_stays_when_no_other_is_known() -> None:
    app = gateway(registered=Registration(exchanges_of=("app",)))
    assert granted({}, facts(terms=Terms(resource=(OTHER,))), app).terms.resource == (OTHER,)
    bound = replace(ROOT, terms=Terms(resource=(OTHER,)))
    assert granted({}, facts(bound), app).terms.resource == (OTHER,)


@pytest.mark.parametrize(
    ("pairs", "had", "registered", "scope"),
    [
        ({"scope": "likes"}, (), (), ("likes",)),
        ({}, ("basic",), (), ("basic",)),
        ({}, (), ("likes", "comments"), ("likes",)),
        ({"scope": "likes"}, (), ("likes", "comments"), ("likes",)),
    ],
)
def test_never_a_wider_scope(
    pairs: dict[str, str], had: tuple[str, ...], registered: tuple[str, ...], scope: tuple[str, ...]
) -> None:
    app = gateway(registered=replace(MAY, scope=registered))
    assert granted(pairs, facts(terms=Terms(had)), app).terms.scope == scope


def test_it_lives_no_longer_than_what_was_handed_in() -> None:
    assert granted({}, facts(token=AccessToken(b"t", ROOT, NOW, NOW + 1))).lifetime == 1
    assert granted({}, facts(token=AccessToken(b"t", ROOT, NOW, NOW + 9999))).lifetime == 3600
    assert granted({}, facts(token=AccessToken(b"t", ROOT, NOW, None))).lifetime == 3600


def test_where_nothing_ends_it_does_not_either() -> None:
    endless = other_rules(OAUTH21, token_lifetime=None)
    subject = BearerFacts(AccessToken(b"t", ROOT, NOW, None), account(), client())
    assert lasts(Proven(params(), gateway(), endless, ExchangeFacts(), BOOK, NOW), subject) is None


def test_it_is_bound_to_the_key_of_who_exchanges() -> None:
    terms = granted({}, facts(terms=Terms(jkt="app")), sender=Terms(jkt="own", x5t="cert")).terms
    assert (terms.jkt, terms.x5t) == ("own", "cert")


def test_who_acts_is_named_newest_outside() -> None:
    second = facts(terms=Terms(actor='{"sub":"first"}', client="gateway"))
    assert json.loads(granted({}, second).terms.actor) == {"sub": "gateway", "act": {"sub": "first"}}
    assert json.loads(granted(ACTOR, actor=own()).terms.actor) == {"sub": "gateway"}
    person = own(token=AccessToken(b"a", authorization(client_id="gateway"), NOW), account=account(5))
    assert json.loads(granted(ACTOR, actor=person).terms.actor) == {"sub": "5"}


def test_who_impersonates_is_not_named() -> None:
    app = gateway(registered=replace(MAY, impersonates=True))
    assert granted({}, app=app).terms.actor == ""
    assert granted({}, facts(terms=Terms(actor='{"sub":"x"}')), app).terms.actor == '{"sub":"x"}'


def nested(depth: int) -> str:
    acts: dict[str, object] = {"sub": "0"}
    for turn in range(1, depth):
        acts = {"sub": str(turn), "act": acts}
    return json.dumps(acts)


DEAD = [
    None,
    facts(token=AccessToken(b"t", ROOT, NOW, NOW)),
    facts(replace(ROOT, revoked_at=NOW)),
    facts(client=client(disabled_at=0)),
    facts(account=account(disabled_at=0)),
]


@pytest.mark.parametrize("dead", DEAD)
def test_what_has_ended_is_exchanged_for_nothing(dead: BearerFacts | None) -> None:
    refused = outcome({}, dead)
    assert isinstance(refused, OAuthError)
    assert (refused.code, refused.reason) == ("invalid_request", "subject_token_dead")
    refused = outcome(ACTOR, actor=dead)
    assert isinstance(refused, OAuthError) and refused.reason == "actor_token_dead"


@pytest.mark.parametrize(
    ("pairs", "more", "code", "reason"),
    [
        ({}, {"app": public(registered=MAY)}, "unauthorized_client", "exchange_forbidden"),
        ({}, {"app": gateway(registered=Registration())}, "unauthorized_client", "exchange_forbidden"),
        ({"subject_token": ""}, {}, "invalid_request", "subject_token_missing"),
        ({"subject_token_type": ""}, {}, "invalid_request", "subject_token_type"),
        ({"subject_token_type": ACCESS_TOKEN + " "}, {}, "invalid_request", "subject_token_type"),
        ({"requested_token_type": "urn:x"}, {}, "invalid_request", "requested_token_type"),
        ({"actor_token": "a"}, {}, "invalid_request", "actor_token_type"),
        ({"actor_token_type": ACCESS_TOKEN}, {}, "invalid_request", "actor_token_type"),
        ({**ACTOR, "actor_token_type": "urn:x"}, {}, "invalid_request", "actor_token_type"),
        (ACTOR, {"actor": facts()}, "invalid_request", "actor_not_own"),
        ({}, {"subject": facts(client=client(id="b"))}, "invalid_request", "exchange_not_of"),
        ({}, {"subject": facts(terms=Terms(client="b"))}, "invalid_request", "exchange_not_of"),
        ({"scope": "comments"}, {}, "invalid_scope", "scope_wider"),
        ({"scope": "likes"}, {"subject": facts(terms=Terms(("basic",)))}, "invalid_scope", "scope_wider"),
        ({"scope": "unknown"}, {}, "invalid_scope", "scope_unknown"),
        (
            {"scope": "basic"},
            {"app": gateway(registered=replace(MAY, scope=("likes",)))},
            "invalid_scope",
            "scope_unregistered",
        ),
        ({}, {"app": gateway(registered=replace(MAY, scope=("comments",)))}, "invalid_scope", "scope_wider"),
        ({"resource": OTHER}, {}, "invalid_target", "exchange_not_for"),
        ({"audience": OTHER}, {}, "invalid_target", "exchange_not_for"),
        ({"resource": API, "audience": OTHER}, {}, "invalid_target", "exchange_not_for"),
        ({}, {"subject": facts(terms=Terms(actor=nested(DEEPEST)))}, "invalid_request", "exchange_deep"),
    ],
)
def test_everything_else_is_refused(
    pairs: dict[str, str], more: dict[str, Any], code: str, reason: str
) -> None:
    refused = outcome(pairs, **more)
    assert isinstance(refused, OAuthError)
    assert (refused.code, refused.reason, refused.changes) == (code, reason, ())


def test_a_client_may_be_allowed_everybodys_and_always_its_own() -> None:
    anybody = gateway(registered=replace(MAY, exchanges_of=("*",)))
    assert granted({}, facts(client=client(id="b")), anybody).terms.client == "gateway"
    again = facts(terms=Terms(client="gateway"))
    assert granted({"scope": "likes"}, again).terms.scope == ("likes",)


def test_a_chain_may_have_a_few_hands() -> None:
    assert granted({}, facts(terms=Terms(actor=nested(DEEPEST - 1)))).terms.actor.count("sub") == DEEPEST


def test_profiles_of_today_have_it() -> None:
    assert [name for name in PROFILES if TOKEN_EXCHANGE.name in PROFILES[name].grants][:1] == ["oauth20"]
