"""Somebody whom the operator trusts vouches for a person (RFC 7523 2.1, 3; CVE-2026-79652, CVE-2020-5300)."""

from dataclasses import replace as other_rules
from typing import Any

import pytest
from msgspec.structs import replace

from tests.protocol.samples import BOOK, ISSUER, NOW, account, client, consent, params
from tests.signing import Signer, unsigned
from valetkey.protocol.changes import Hold, Once
from valetkey.protocol.decision import Granted
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.facts import ExchangeFacts, Known
from valetkey.protocol.grants.jwt_bearer import decide, issuer_of, read
from valetkey.protocol.model import TERMS, Authorization, Client, Consent, Registration, Terms
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules import jwt
from valetkey.protocol.rules.grant import Proven
from valetkey.protocol.trusted_issuer import TrustedIssuer

SIGNER = Signer("ES256", "one")
TRUSTED = TrustedIssuer("https://hr.test", jwks=SIGNER.jwks, clients=("app",))
CLAIMS: dict[str, Any] = {
    "iss": "https://hr.test",
    "sub": "snoopdogg",
    "aud": ISSUER,
    "exp": NOW + 60,
    "iat": NOW,
    "jti": "1",
}
FACTS = ExchangeFacts(client(), account=account(), consent=consent("basic", "likes"), issuer_keys=SIGNER.jwks)


def outcome(
    claims: dict[str, Any] | None = None,
    facts: ExchangeFacts = FACTS,
    issuer: TrustedIssuer = TRUSTED,
    app: Client = client(),  # noqa: B008
    **pairs: str,
) -> Granted | OAuthError:
    said = {name: value for name, value in (CLAIMS | (claims or {})).items() if value is not None}
    book = other_rules(BOOK, trusted_issuers=(TrustedIssuer("https://other.test"), issuer))
    asked = params(**{"assertion": SIGNER.jwt(said)} | pairs)
    try:
        return decide(Proven(asked, app, OAUTH21, facts, book, NOW))
    except OAuthError as error:
        return error


def typed(typ: str) -> dict[str, str]:
    """An assertion with this typ in its header."""
    return {"assertion": SIGNER.jwt(CLAIMS, header={"typ": typ})}


def granted(*given: Any, **more: Any) -> Granted:
    result = outcome(*given, **more)
    assert isinstance(result, Granted), result
    return result


def test_a_token_for_what_the_person_allowed_before() -> None:
    said = granted(scope="likes")
    once, hold = said.changes
    root = Authorization(0, 1, "app", ("likes",), NOW)
    assert said == Granted(root, account(), OAUTH21, 3600, said.changes, TERMS, new=True)
    assert once == jwt.once("jwt_bearer", "https://hr.test", "1", NOW + 61)
    assert hold == Hold(1, "app")


def test_it_is_bound_to_the_key_of_who_asks() -> None:
    book = other_rules(BOOK, trusted_issuers=(TRUSTED,))
    asked = params(assertion=SIGNER.jwt(CLAIMS))
    assert decide(Proven(asked, client(), OAUTH21, FACTS, book, NOW, Terms(jkt="k"))).terms == Terms(jkt="k")


def test_where_the_operator_speaks_for_everybody_nobody_is_asked() -> None:
    for told in (None, consent("basic")):
        said = granted(facts=replace(FACTS, consent=told), issuer=replace(TRUSTED, first_party=True))
        assert [type(change) for change in said.changes] == [Once]


def test_a_token_for_a_server_that_the_person_allowed() -> None:
    """RFC 8707: of somebody else's word comes no more than of the person's own."""
    there, elsewhere = "https://a.test/", "https://b.test/"
    known = replace(FACTS, consent=consent("basic", resource=(there,)))
    for named, facts in ((there, known), (ISSUER, FACTS)):
        assert granted(facts=facts, resource=named).authorization.terms == Terms(resource=(named,))
    refused = outcome(facts=known, resource=elsewhere)
    assert isinstance(refused, OAuthError) and refused.reason == "consent_elsewhere"
    less = replace(known, consent=Consent(1, "app", ("basic",), NOW, (), ((there, ("likes",)),)))
    refused = outcome(facts=less, resource=there)
    assert isinstance(refused, OAuthError) and refused.reason == "consent_elsewhere"
    spoken_for = granted(facts=known, resource=elsewhere, issuer=replace(TRUSTED, first_party=True))
    assert spoken_for.authorization.terms == Terms(resource=(elsewhere,))


@pytest.mark.parametrize("aud", [ISSUER, ISSUER + "/oauth/token", [ISSUER, "https://b.test"]])
def test_it_is_meant_for_us(aud: object) -> None:
    assert granted({"aud": aud})


@pytest.mark.parametrize("typ", ["JWT", "application/jwt"])
def test_what_kind_it_may_say_that_it_is(typ: str) -> None:
    assert granted(**typed(typ))


@pytest.mark.parametrize("clients", [("app",), ("b", "app"), ("*",)])
def test_from_which_clients(clients: tuple[str, ...]) -> None:
    assert granted(issuer=replace(TRUSTED, clients=clients))


@pytest.mark.parametrize(
    ("claims", "more", "code", "reason"),
    [
        ({}, {"assertion": ""}, "invalid_request", "assertion_missing"),
        ({}, {"assertion": "a.b.c"}, "invalid_grant", "assertion_malformed"),
        ({}, {"assertion": unsigned(CLAIMS)}, "invalid_grant", "assertion_alg"),
        ({}, {"assertion": Signer("ES256", "one").jwt(CLAIMS)}, "invalid_grant", "assertion_signature"),
        ({"iss": "https://b.test"}, {}, "invalid_grant", "issuer_untrusted"),
        ({"iss": None}, {}, "invalid_grant", "issuer_untrusted"),
        ({}, {"issuer": replace(TRUSTED, clients=())}, "invalid_grant", "issuer_untrusted"),
        ({}, {"issuer": replace(TRUSTED, clients=("b",))}, "invalid_grant", "issuer_untrusted"),
        ({}, {"facts": replace(FACTS, issuer_keys="")}, "invalid_grant", "assertion_key_unknown"),
        ({}, {"facts": replace(FACTS, issuer_keys='{"keys":[]}')}, "invalid_grant", "assertion_key_unknown"),
        ({"aud": "https://b.test"}, {}, "invalid_grant", "assertion_aud"),
        ({"aud": None}, {}, "invalid_grant", "assertion_aud"),
        ({"exp": None}, {}, "invalid_grant", "assertion_exp"),
        ({"exp": NOW}, {}, "invalid_grant", "assertion_expired"),
        ({"exp": NOW + 9999}, {}, "invalid_grant", "assertion_exp_far"),
        ({"iat": NOW + 99}, {}, "invalid_grant", "assertion_iat_ahead"),
        ({"jti": None}, {}, "invalid_grant", "assertion_jti"),
        ({"jti": ""}, {}, "invalid_grant", "assertion_jti"),
        ({}, typed("at+jwt"), "invalid_grant", "assertion_typ"),
        ({}, typed("logout+jwt"), "invalid_grant", "assertion_typ"),
        ({}, {"scope": "unknown"}, "invalid_scope", "scope_unknown"),
        (
            {},
            {"scope": "likes", "issuer": replace(TRUSTED, scope=("basic",))},
            "invalid_scope",
            "scope_wider",
        ),
        (
            {},
            {"app": client(registered=Registration(scope=("likes",)))},
            "invalid_scope",
            "scope_unregistered",
        ),
        ({}, {"scope": "comments"}, "invalid_grant", "consent_missing"),
        ({}, {"facts": replace(FACTS, consent=None)}, "invalid_grant", "consent_missing"),
    ],
)
def test_everything_else_is_refused(
    claims: dict[str, Any], more: dict[str, Any], code: str, reason: str
) -> None:
    refused = outcome(claims, **more)
    assert isinstance(refused, OAuthError)
    assert (refused.code, refused.reason, refused.changes) == (code, reason, ())


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"facts": replace(FACTS, account=None)}, "assertion_nobody"),
        ({"facts": replace(FACTS, account=account(disabled_at=0))}, "assertion_nobody"),
        ({"app": client(sandbox=True)}, "not_a_tester"),
    ],
)
def test_an_assertion_about_somebody_who_may_not_is_used_up(more: dict[str, Any], reason: str) -> None:
    refused = outcome(**more)
    assert isinstance(refused, OAuthError) and refused.reason == reason
    assert [type(change) for change in refused.changes] == [Once]


def test_an_assertion_is_used_once() -> None:
    once = granted().changes[0]
    assert isinstance(once, Once)
    again = outcome(facts=replace(FACTS, known=Known("", frozenset({once.key}))))
    assert isinstance(again, OAuthError) and again.reason == "assertion_replayed"
    other = granted({"jti": "2"}).changes[0]
    assert isinstance(other, Once) and other.key != once.key


def test_who_is_named_can_be_read_before_anything_is_believed() -> None:
    token = read(params(assertion=SIGNER.jwt(CLAIMS)))
    assert issuer_of(token, other_rules(BOOK, trusted_issuers=(TRUSTED,))) == TRUSTED
    assert issuer_of(token, BOOK) is None
