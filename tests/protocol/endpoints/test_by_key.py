"""Wherever a client authenticates, a key of its own does: now, once, and under the rules of its profile."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.protocol.samples import (
    BOOK,
    CHALLENGE,
    ISSUER,
    NOW,
    REDIRECT,
    client,
    headers,
    params,
    query,
)
from tests.signing import Signer
from valetkey.protocol.changes import Once
from valetkey.protocol.decision import Refused
from valetkey.protocol.endpoints import device_authorization, introspect, pushed_request, revoke, token
from valetkey.protocol.facts import ExchangeFacts, Known
from valetkey.protocol.model import Registration
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.rules import token_question

KEY = Signer()
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
REGISTERED = Registration(
    token_endpoint_auth_method="private_key_jwt", grant_types=("client_credentials", DEVICE), jwks=KEY.jwks
)
ASKED = {"response_type": "code", "redirect_uri": REDIRECT, "code_challenge": CHALLENGE}
Ask = Callable[[Params, Known, int], Any]


def app(profile: str, kind: str = "service") -> Any:
    return client(type=kind, profile=profile, secrets=(), registered=REGISTERED)


def asks(endpoint: Any, kind: str = "service", reader: Any = None, **fields: str) -> Callable[..., Any]:
    """The endpoint, asked with these fields by a client of `profile`, where oauth21 is at home."""

    def ask(shown: dict[str, str], known: Known, now: int, profile: str = "oauth20") -> Any:
        at: Profile = PROFILES["oauth21"]
        question = (reader or endpoint).read(params(**shown, **fields), query(), headers(), at)
        if endpoint is device_authorization:
            return endpoint.decide(question, app(profile, kind), known, BOOK, now)
        return endpoint.decide(question, ExchangeFacts(app(profile, kind), known=known), BOOK, now)

    return ask


ENDPOINTS = {
    "push": asks(pushed_request, "web", **ASKED, code_challenge_method="S256"),
    "token": asks(token, grant_type="client_credentials"),
    "introspect": asks(introspect, reader=token_question, token="x"),
    "revoke": asks(revoke, reader=token_question, token="x"),
    "device": asks(device_authorization),
}
everywhere = pytest.mark.parametrize("ask", ENDPOINTS.values(), ids=ENDPOINTS)


def shown(**claims: Any) -> dict[str, str]:
    plain = {"iss": "app", "sub": "app", "aud": ISSUER, "jti": "j", "iat": NOW, "exp": NOW + 60}
    return {
        "client_assertion": KEY.jwt(plain | claims),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }


@everywhere
def test_a_key_does(ask: Callable[..., Any]) -> None:
    done = ask(shown(), Known(KEY.jwks), NOW)
    assert not isinstance(done, Refused)
    (once,) = done.changes
    assert isinstance(once, Once)
    refused = ask(shown(), Known(KEY.jwks, used=frozenset({once.key})), NOW)
    assert isinstance(refused, Refused) and refused.error.reason == "assertion_replayed"


@everywhere
@pytest.mark.parametrize("profile", ["oauth20", "oauth21"])
def test_its_time_is_over_and_the_refusal_is_its_profiles(ask: Callable[..., Any], profile: str) -> None:
    refused = ask(shown(), Known(KEY.jwks), NOW + 61, profile)
    assert isinstance(refused, Refused)
    assert (refused.error.reason, refused.profile) == ("assertion_expired", PROFILES[profile])
    assert refused.error.changes == ()


@everywhere
def test_the_keys_are_those_that_were_found(ask: Callable[..., Any]) -> None:
    refused = ask(shown(), Known(Signer().jwks), NOW)
    assert isinstance(refused, Refused) and refused.error.code == "invalid_client"
