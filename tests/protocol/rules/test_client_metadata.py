"""What a client says of itself, and what of it is remembered and told again (RFC 7591 2)."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.samples import NOW
from tests.signing import Signer
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.model import Client, Registration
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.client_metadata import REMEMBERED, Described, native, read, told

CALLBACK = "https://agent.test/cb"
SCOPES = frozenset({"basic", "likes"})
SAID: dict[str, Any] = {"redirect_uris": [CALLBACK]}


def described(method: str = "client_secret_basic", **said: Any) -> Described:
    return read(SAID | said, OAUTH21, SCOPES, method)


def test_what_is_left_out_is_filled_in() -> None:
    registered = Registration(("authorization_code",), "client_secret_basic")
    assert described() == Described("Unnamed app", "web", (CALLBACK,), "", registered)
    assert described("none").type == "spa"


def test_what_is_said_is_kept() -> None:
    found = described(
        client_name="Agent",
        client_uri="https://agent.test/",
        logo_uri="https://agent.test/logo.png",
        grant_types=["authorization_code", "refresh_token", "password"],
        response_types=["code", "token"],
        scope="likes fly basic likes",
        token_endpoint_auth_method="private_key_jwt",
        jwks_uri="https://agent.test/jwks",
        fresh_until=5,
        exchanges_of=["app"],
        impersonates=True,
        registration_token="AAAA",
        access_token_format="jwt",
    )
    grants = tuple(name for name in ("authorization_code", "refresh_token") if name in OAUTH21.grants)
    assert found.registered == Registration(
        grant_types=grants,
        token_endpoint_auth_method="private_key_jwt",
        jwks_uri="https://agent.test/jwks",
        scope=("likes", "basic"),
        logo_uri="https://agent.test/logo.png",
    )
    assert (found.name, found.website, found.type) == ("Agent", "https://agent.test/", "web")


def test_keys_are_kept_as_text() -> None:
    keys = {"keys": [Signer("ES256", kid="a").jwk]}
    kept = described(token_endpoint_auth_method="private_key_jwt", jwks=keys).registered.jwks
    assert msgspec.json.decode(kept) == keys


@pytest.mark.parametrize(
    ("said", "uris", "yes"),
    [
        ({}, (CALLBACK,), False),
        ({"application_type": "web"}, (CALLBACK,), False),
        ({"application_type": "native"}, (CALLBACK,), True),
        ({}, (CALLBACK, "http://127.0.0.1/cb"), True),
        ({}, ("com.example.app:/cb",), True),
    ],
)
def test_who_runs_on_somebodys_own_device(said: dict[str, Any], uris: tuple[str, ...], yes: bool) -> None:
    assert native(said, uris) is yes
    assert described("none", redirect_uris=list(uris), **said).type == ("native" if yes else "spa")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"redirect_uris": CALLBACK}, "invalid_redirect_uri"),
        ({"redirect_uris": [CALLBACK, None]}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"{CALLBACK}{n}" for n in range(101)]}, "invalid_redirect_uri"),
        ({"scope": ["basic"]}, "invalid_client_metadata"),
        ({"scope": "fly"}, "invalid_client_metadata"),
        ({"client_name": {}}, "invalid_client_metadata"),
        ({"client_uri": "x" * 2001}, "invalid_client_metadata"),
        ({"grant_types": "authorization_code"}, "invalid_client_metadata"),
        ({"grant_types": ["refresh_token"]}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"jwks": "{}"}, "invalid_client_metadata"),
        ({"logo_uri": 1}, "invalid_client_metadata"),
        ({"software_statement": {}}, "invalid_software_statement"),
        ({"software_statement": "a.b"}, "invalid_software_statement"),
        ({"software_statement": "a.b.c"}, "unapproved_software_statement"),
    ],
)
def test_what_cannot_be(said: dict[str, Any], code: str) -> None:
    with pytest.raises(OAuthError) as refused:
        described(**said)
    assert refused.value.code == code


def test_what_is_empty_is_absent() -> None:
    nothing = {"client_name": "", "logo_uri": "", "jwks_uri": None, "grant_types": [], "response_types": []}
    nothing |= {"scope": "", "client_uri": None, "software_statement": None, "jwks": None}
    nothing |= {"dpop_bound_access_tokens": ""}
    assert described(**nothing) == described()


def test_what_is_just_short_enough() -> None:
    uris = [f"{CALLBACK}{n}" for n in range(100)]
    assert len(described(redirect_uris=uris, client_uri="x" * 2000).redirect_uris) == 100


def test_what_is_told_again() -> None:
    registered = Registration(
        grant_types=("authorization_code",),
        token_endpoint_auth_method="private_key_jwt",
        jwks='{"keys":[]}',
        scope=("basic", "likes"),
        registration_token=b"secret",
        fresh_until=NOW,
        exchanges_of=("app",),
    )
    client = Client("id", 0, "Agent", "web", "mcp", (CALLBACK,), NOW, registered=registered)
    client = msgspec.structs.replace(client, website="https://agent.test/")
    assert msgspec.json.decode(msgspec.json.encode(told(client))) == {
        "client_id": "id",
        "client_id_issued_at": NOW,
        "client_name": "Agent",
        "client_uri": "https://agent.test/",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": []},
        "scope": "basic likes",
    }


def test_a_client_of_a_device_has_no_response_type() -> None:
    registered = Registration(grant_types=("urn:ietf:params:oauth:grant-type:device_code",))
    client = Client("id", 0, "Agent", "native", "mcp", (), NOW, registered=registered)
    assert told(client)["response_types"] == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [*REMEMBERED, *"redirect_uris client_name client_uri grant_types response_types scope".split()]
)


@settings(max_examples=50)
@given(st.dictionaries(NAMES | st.text(max_size=9), ANYTHING, max_size=12))
def test_whatever_a_stranger_says_is_read_or_refused_in_words_that_an_error_may_hold(
    said: dict[str, Any],
) -> None:
    """RFC 6749 5.2; and what is read can be told again."""
    try:
        found = read(said, OAUTH21, SCOPES, "none")
    except OAuthError as error:
        words = error.description
    else:
        words = "none"
        client = Client(
            "id", 0, found.name, found.type, "mcp", found.redirect_uris, NOW, registered=found.registered
        )
        again = msgspec.json.decode(msgspec.json.encode(told(client)))
        assert read(again, OAUTH21, SCOPES, "none").registered == found.registered
    assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", words)
