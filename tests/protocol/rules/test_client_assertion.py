"""What a client assertion must say (RFC 7521 4.2, RFC 7523 3; D2, D5)."""

import hashlib
from dataclasses import replace as other_rules
from typing import Any

import pytest

from tests.protocol.samples import BOOK, ISSUER, NOW, client, params
from tests.signing import Signer, keyed
from valetkey.protocol.changes import Once
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client, Registration
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.rules import client_assertion, jwt
from valetkey.protocol.rules.client_assertion import JWT_BEARER
from valetkey.protocol.rules.credentials import Credentials, read
from valetkey.protocol.rules.headers import Headers
from valetkey.protocol.rules.jwt import SIGNED, Untrusted
from valetkey.protocol.rules.rulebook import Rulebook

KEY = Signer()
APP = client(profile="oauth20")
CLAIMS = {"iss": "app", "sub": "app", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "j1"}
STRICT = other_rules(OAUTH20, assertions=type(OAUTH20.assertions)(300, SIGNED, issuer_only=True))
STRICT_BOOK = Rulebook({"oauth20": STRICT}, STRICT, {}, ISSUER)


def said(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """The sample assertion; claims: to replace, or (None) to leave out."""
    kept = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return KEY.jwt(kept, header)


def shown(**fields: str) -> dict[str, str]:
    return {"client_assertion_type": JWT_BEARER, "client_assertion": said()} | fields


# --- one method ------------------------------------------------------------------------------------------------------


def test_an_assertion_says_who_it_is() -> None:
    for fields in (shown(), shown(client_id="app")):
        found = read(params(**fields), Headers(None, None, b"der", True), OAUTH20)
        assert (found.client_id, found.secret, found.method) == ("app", None, "private_key_jwt")
        assert found.assertion is not None and found.assertion.claims == CLAIMS
        assert (found.certificate, found.certificate_verified) == (b"der", True)
    secret = read(params(**shown(client_assertion=keyed(CLAIMS, b"s"))), Headers(), OAUTH20)
    assert secret.method == "client_secret_jwt"


def test_no_assertion_is_none() -> None:
    assert client_assertion.read(params(client_id="app")) is None
    assert read(params(client_id="app"), Headers(), OAUTH20) == Credentials("app", None, "none")


BASIC = "Basic YXBwOnM="


@pytest.mark.parametrize(
    ("fields", "header", "code", "reason"),
    [
        (shown(client_secret="s"), None, "invalid_request", "credentials_twice"),
        (shown(), BASIC, "invalid_request", "credentials_twice"),
        (shown(client_secret="s"), BASIC, "invalid_request", "credentials_twice"),
        (shown(client_id="other"), None, "invalid_request", "client_id_differs"),
        (shown(client_assertion_type=""), None, "invalid_request", "assertion_type"),
        (shown(client_assertion_type="jwt-bearer"), None, "invalid_request", "assertion_type"),
        (shown(client_assertion=""), None, "invalid_request", "assertion_type"),
        (shown(client_assertion="x"), None, "invalid_client", "assertion_malformed"),
        (shown(client_assertion="x" * 9000), None, "invalid_client", "assertion_long"),
        (shown(client_assertion=said(sub="other")), None, "invalid_client", "assertion_sub"),
        (shown(client_assertion=said(sub=None)), None, "invalid_client", "assertion_sub"),
        (shown(client_assertion=said(iss=None)), None, "invalid_client", "assertion_sub"),
        (shown(client_assertion=said(iss=None, sub=None)), None, "invalid_client", "assertion_sub"),
        (shown(client_assertion=said(iss=1, sub=1)), None, "invalid_client", "assertion_iss"),
        (shown(client_assertion=said(iss="", sub="")), None, "invalid_client", "assertion_iss"),
        (shown(client_assertion=said(sub=["app"])), None, "invalid_client", "assertion_sub"),
    ],
)
def test_what_is_shown_must_be_of_one_piece(
    fields: dict[str, str], header: str | None, code: str, reason: str
) -> None:
    with pytest.raises(OAuthError) as caught:
        read(params_of_any_length(fields), Headers(header), OAUTH20)
    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert caught.value.description.isascii() and '"' not in caught.value.description


def params_of_any_length(fields: dict[str, str]) -> Any:
    from valetkey.protocol.params import Params

    return Params(fields.items(), longest=10_000)


# --- what it says ----------------------------------------------------------------------------------------------------


def checked(text: str, app: Client = APP, book: Rulebook = BOOK) -> Once:
    return client_assertion.check(jwt.read(text), app, book, NOW)


def refused(text: str, app: Client = APP, book: Rulebook = BOOK) -> str:
    with pytest.raises(Untrusted) as caught:
        checked(text, app, book)
    assert WORDS.get(caught.value.reason, {caught.value.words}) >= {caught.value.words}
    return caught.value.reason


WORDS = {
    "alg": {"is not signed with PS256, as this client registered"},
    "jti": {"has no jti", "has jti that is no string of 1 to 256 characters"},
    "aud": {
        "must have the issuer as its aud, as one string",
        "has an aud that is not only this server",
        "has no aud",
    },
}


def test_a_good_one_is_good_once() -> None:
    once = checked(said())
    assert once == Once(hashlib.sha256(b"client_assertion\0app\0j1").digest(), NOW + 61)
    client_assertion.check_unused(once, Known("", frozenset({b"other"})))
    with pytest.raises(Untrusted) as caught:
        client_assertion.check_unused(once, Known("", frozenset({once.key})))
    assert (caught.value.reason, caught.value.words) == ("replayed", "was used before")


def test_the_ids_of_two_clients_are_apart() -> None:
    keys = {
        checked(said()).key,
        checked(said(jti="j2")).key,
        checked(said(), client(id="app2", profile="oauth20")).key,
        jwt.once("dpop", "app", "j1", NOW).key,
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "typ", [None, "JWT", "jwt", "client-authentication+jwt", "application/client-authentication+jwt"]
)
def test_types(typ: str | None) -> None:
    assert checked(said({"typ": typ}))


@pytest.mark.parametrize(
    "typ", ["at+jwt", "dpop+jwt", "oauth-authz-req+jwt", "logout+jwt", "token-introspection+jwt"]
)
def test_no_other_jwt_passes_for_one(typ: str) -> None:
    assert refused(said({"typ": typ})) == "typ"


@pytest.mark.parametrize(
    ("aud", "borne", "strict"),
    [
        (ISSUER, True, True),
        ([ISSUER], True, False),
        (ISSUER + "/oauth/token", True, False),
        ([ISSUER, ISSUER + "/oauth/token"], True, False),
        (ISSUER + "/oauth/par", True, False),
        (ISSUER + "/", False, False),
        (ISSUER + "/oauth/authorize", False, False),
        (ISSUER.upper(), False, False),
        ([ISSUER, "https://other.example"], False, False),
        ("https://other.example", False, False),
        ([], False, False),
        (None, False, False),
        ({"a": ISSUER}, False, False),
    ],
)
def test_whom_it_is_for(aud: object, borne: bool, strict: bool) -> None:
    for book, well in ((BOOK, borne), (STRICT_BOOK, strict)):
        if well:
            assert checked(said(aud=aud), book=book)
        else:
            assert refused(said(aud=aud), book=book) == "aud"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"jti": "j" * 257}, "jti"),
        ({"exp": None}, "exp"),
        ({"exp": NOW}, "expired"),
        ({"exp": NOW + 3631}, "exp_far"),
        ({"iat": NOW + 61}, "iat_ahead"),
        ({"nbf": NOW + 61}, "nbf_ahead"),
    ],
)
def test_claims(claims: dict[str, object], reason: str) -> None:
    assert refused(said(**claims)) == reason


def test_how_long_it_may_live_is_the_profiles() -> None:
    assert checked(said(exp=NOW + 3600)) and checked(said(exp=NOW + 300), book=STRICT_BOOK)
    assert refused(said(exp=NOW + 3600), book=STRICT_BOOK) == "exp_far"


def test_the_algorithm_that_was_registered() -> None:
    for wanted, reason in (("ES256", None), ("PS256", "alg")):
        app = client(profile="oauth20", registered=Registration(token_endpoint_auth_signing_alg=wanted))
        assert (checked(said(), app) and None if reason is None else refused(said(), app)) == reason
