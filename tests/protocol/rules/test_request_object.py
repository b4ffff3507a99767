"""Request objects: what the client has signed counts, and nothing beside it (RFC 9101; A17, A18)."""

import json
from dataclasses import replace as other_rules
from typing import Any

import pytest

from tests.protocol.samples import BOOK, ISSUER, NOW, REDIRECT, client
from tests.signing import Signer, keyed, unsigned
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.model import Client, Registration
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Assertions
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.rules import jwt, request_object
from valetkey.protocol.rules.rulebook import Rulebook

KEY = Signer()
APP = client(profile="oauth20")
ASKED = {
    "client_id": "app",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "likes",
    "state": "s",
}
ABOUT = {"iss": "app", "aud": ISSUER}
DATED = {"nbf": NOW, "exp": NOW + 300}
FAPI = other_rules(OAUTH20, assertions=Assertions(300, jwt.STRONG, issuer_only=True, dated=True))
FAPI_BOOK = Rulebook({"oauth20": FAPI}, FAPI, {}, ISSUER)


def signed(header: dict[str, Any] | None = None, signer: Signer = KEY, **claims: Any) -> str:
    """The sample object; claims: to add, to replace, or (None) to leave out."""
    kept = {name: value for name, value in (ABOUT | ASKED | claims).items() if value is not None}
    return signer.jwt(kept, header)


def resolved(
    text: str | None, app: Client = APP, book: Rulebook = BOOK, keys: str = KEY.jwks, **beside: str
) -> dict[str, str]:
    sent = {"client_id": "app"} | beside | ({} if text is None else {"request": text})
    params = Params(sent.items(), longest=10_000)
    return dict(request_object.resolve(params, app, keys, book, NOW).items())


def refused(text: str, app: Client = APP, book: Rulebook = BOOK, keys: str = KEY.jwks, **beside: str) -> str:
    with pytest.raises(OAuthError) as caught:
        resolved(text, app, book, keys, **beside)
    assert caught.value.code == "invalid_request_object"
    assert caught.value.description.isascii() and '"' not in caught.value.description
    if caught.value.reason in WORDS:
        assert caught.value.description.removeprefix("the request object ") in WORDS[caught.value.reason]
    return caught.value.reason


WORDS = {
    "request_iss": {
        "must have the client_id as its iss",
        "has iss that is no string of 1 to 256 characters",
    },
    "request_aud": {"must have the issuer of this server as its aud", "has no aud"},
    "request_sub": {"must not have the client_id as its sub: it would pass for a client assertion"},
    "request_nested": {"must not have request or request_uri in it"},
    "request_expired": {"has expired"},
    "request_undated": {"must have nbf and exp"},
    "request_exp_far": {"must be good for 3600 seconds at most"},
}


@pytest.mark.parametrize("typ", [None, "JWT", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"])
@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "RS256", "EdDSA"])
def test_what_is_signed_counts(typ: str | None, algorithm: str) -> None:
    signer = Signer(algorithm)
    assert resolved(signed({"typ": typ}, signer), keys=signer.jwks) == ASKED


def test_what_stands_beside_it_does_not() -> None:
    beside = {"redirect_uri": "https://evil.example", "scope": "all", "state": "other", "prompt": "none"}
    assert resolved(signed(), **beside) == ASKED
    assert resolved(signed(state=None), state="other").get("state") is None


def test_without_one_all_counts() -> None:
    assert resolved(None, **ASKED) == ASKED
    must = client(profile="oauth20", registered=Registration(require_signed_request_object=True))
    assert resolved(signed(), must) == ASKED
    with pytest.raises(OAuthError) as caught:
        resolved(None, must, **ASKED)
    assert (caught.value.code, caught.value.reason) == ("invalid_request", "request_missing")


def test_to_the_origin_it_is_a_word_like_any_other() -> None:
    must = client(registered=Registration(require_signed_request_object=True))
    assert resolved("anything", must, **ASKED) == {**ASKED, "request": "anything"}


def test_what_is_no_string_is_written_as_json() -> None:
    details = [{"type": "payment", "amount": 1.5}]
    found = resolved(signed(authorization_details=details, max_age=60, claims={"a": "für"}, flag=True))
    assert found["authorization_details"] == '[{"type":"payment","amount":1.5}]'
    assert json.loads(found["claims"]) == {"a": "für"}
    assert (found["max_age"], found["flag"]) == ("60", "true")


def test_the_client_is_one() -> None:
    assert resolved(signed(client_id=None)) == {k: v for k, v in ASKED.items() if k != "client_id"}
    assert (
        resolved(signed(), client_id="") == ASKED
    )  # a pushed request may name its client elsewhere (RFC 9126 3)
    assert refused(signed(client_id="other")) == "request_client_id"
    assert refused(signed(), client_id="other") == "request_client_id"
    assert refused(signed(client_id=["app"])) == "request_client_id"


THIEF = Signer()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (signed(iss="other"), "request_iss"),
        (signed(iss=None), "request_iss"),
        (signed(iss=1), "request_iss"),
        (signed(aud=None), "request_aud"),
        (signed(aud="https://evil.example"), "request_aud"),
        (signed(aud=ISSUER + "/oauth/token"), "request_aud"),
        (signed(aud=["https://evil.example"]), "request_aud"),
        (signed(sub="app"), "request_sub"),
        (signed(request=KEY.jwt({})), "request_nested"),
        (signed(request_uri="urn:ietf:params:oauth:request_uri:x"), "request_nested"),
        (signed(exp=NOW - 600), "request_expired"),
        (signed(exp="soon"), "request_exp"),
        (signed(nbf=NOW + 31), "request_nbf_ahead"),
        (signed(iat=NOW + 31), "request_iat_ahead"),
        (signed({"typ": "dpop+jwt"}), "request_typ"),
        (signed({"typ": "client-authentication+jwt"}), "request_typ"),
        (signed({"typ": "at+jwt"}), "request_typ"),
        (signed({"kid": "z"}), "request_key_unknown"),
        (signed(signer=THIEF), "request_signature"),
        (signed({"jwk": THIEF.jwk}, THIEF), "request_signature"),
        (unsigned(ABOUT | ASKED), "request_alg"),
        (unsigned(ABOUT | ASKED, "None"), "request_alg"),
        (keyed(ABOUT | ASKED, KEY.jwks.encode()), "request_alg"),
        ("https://evil.example/request.jwt", "request_malformed"),
        ("a.b.c.d.e", "request_malformed"),
        ("x" * 9000, "request_long"),
    ],
)
def test_what_is_not_believed(text: str, reason: str) -> None:
    assert refused(text) == reason


def test_keys_that_cannot_be_read() -> None:
    assert refused(signed(), keys="") == "keys_unreadable"


def test_values_have_the_bounds_of_parameters() -> None:
    assert resolved(signed(details="x" * 5000))["details"] == "x" * 5000
    with pytest.raises(OAuthError) as caught:
        resolved(signed(**{"n" * 300: "x"}))
    assert (caught.value.code, caught.value.reason) == ("invalid_request", "parameter_long")


def test_the_audience_may_be_a_list() -> None:
    assert resolved(signed(aud=["https://other.example", ISSUER])) == ASKED


@pytest.mark.parametrize(
    ("registered", "ok"), [("", True), ("ES256", True), ("PS256", False), ("none", False)]
)
def test_the_algorithm_that_was_registered(registered: str, ok: bool) -> None:
    app = client(profile="oauth20", registered=Registration(request_object_signing_alg=registered))
    if ok:
        assert resolved(signed(), app) == ASKED
    else:
        assert refused(signed(), app) == "request_alg"
    assert refused(unsigned(ABOUT | ASKED), app) == "request_alg"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        (DATED, ""),
        ({"nbf": NOW - 3600, "exp": NOW}, "request_expired"),
        ({"nbf": NOW - 3599, "exp": NOW + 1}, ""),
        ({"nbf": NOW - 3600, "exp": NOW + 1}, "request_exp_far"),
        ({"nbf": NOW - 3601, "exp": NOW + 1}, "request_exp_far"),
        ({"nbf": NOW, "exp": NOW + 3600}, ""),
        ({"nbf": NOW, "exp": NOW + 3601}, "request_exp_far"),
        ({"nbf": NOW + 10, "exp": NOW + 300}, ""),
        ({"nbf": NOW + 61, "exp": NOW + 300}, "request_nbf_ahead"),
        ({"exp": NOW + 300}, "request_undated"),
        ({"nbf": NOW}, "request_undated"),
        ({}, "request_undated"),
    ],
)
def test_fapi_wants_it_dated(claims: dict[str, int], reason: str) -> None:
    if reason:
        assert refused(signed(**claims), book=FAPI_BOOK) == reason
    else:
        assert resolved(signed(**claims), book=FAPI_BOOK) == ASKED


def test_elsewhere_it_need_not_be() -> None:
    assert resolved(signed(**DATED)) == resolved(signed(nbf=1)) == resolved(signed(exp=NOW + 10**6)) == ASKED


def test_it_may_end_while_its_person_logs_in() -> None:
    assert resolved(signed(exp=NOW - 599)) == ASKED
    assert refused(signed(nbf=NOW - 10, exp=NOW), book=FAPI_BOOK) == "request_expired"


def test_a_list_of_resources_stays_a_list() -> None:
    """RFC 9101 4 says nothing of parameters that are there several times; JSON has lists."""
    found = list(request_object.parameters({"resource": ["https://a.test", "https://b.test", 5], "x": [1]}))
    several = [("resource", "https://a.test"), ("resource", "https://b.test"), ("resource", "5")]
    assert found == [*several, ("x", "[1]")], "what is no address is refused later, and not passed over"
    sent = Params([("client_id", "app"), ("request", signed(resource=["https://a.test", "https://b.test"]))])
    inner = request_object.resolve(sent, APP, KEY.jwks, BOOK, NOW)
    assert inner.all("resource") == ("https://a.test", "https://b.test")
    assert list(request_object.parameters({"resource": "https://a.test"})) == [("resource", "https://a.test")]
