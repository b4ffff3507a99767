"""private_key_jwt and client_secret_jwt: whose signature, and once (RFC 7523 2.2; D5, C18)."""

import hashlib
import hmac
import json
from dataclasses import replace as other_rules
from typing import Any

import pytest

from tests.protocol.samples import BOOK, ISSUER, NOW, SECRET, client, secret
from tests.signing import Signer, b64, key_set, keyed, unsigned
from valetkey.protocol.changes import Changes
from valetkey.protocol.client_auth import authenticate
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client, Registration
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.rules import client_assertion, jwt
from valetkey.protocol.rules.credentials import Credentials
from valetkey.protocol.rules.rulebook import Rulebook

KEY, OTHER = Signer("ES256", "a"), Signer("ES256", "a")
CLAIMS = {"iss": "app", "sub": "app", "aud": ISSUER, "exp": NOW + 60, "jti": "j1"}
BY_KEY = client(profile="oauth20", registered=Registration(token_endpoint_auth_method="private_key_jwt"))
BY_SECRET = client(profile="oauth20", registered=Registration(token_endpoint_auth_method="client_secret_jwt"))


def proven(text: str, app: Client, known: Known, book: Rulebook = BOOK) -> Changes:
    token = jwt.read(text)
    shown = Credentials("app", None, client_assertion.names(token)[1], token)
    found, changes = authenticate(app, shown, known, book, NOW)
    assert found is app
    return changes


def refused(text: str, app: Client, known: Known, book: Rulebook = BOOK) -> str:
    with pytest.raises(InvalidClient) as caught:
        proven(text, app, known, book)
    assert caught.value.changes == () and caught.value.description.isascii()
    words = caught.value.description.removeprefix("client_assertion ")
    assert WORDS.get(caught.value.reason, words) == words
    return caught.value.reason


WORDS = {
    "assertion_long": "is longer than 2048 characters",
    "keys_unreadable": "the registered keys of this client cannot be read",
    "assertion_missing": "is missing",
    "secret_wrong": "is not signed with the client_secret",
}


def sized(length: int) -> str:
    """The sample assertion, of which so many characters are signed."""
    head = next(
        head
        for head in (b64(b'{"alg":"HS256"}' + b" " * pad) for pad in range(3))
        if (length - len(head) - 1) % 4 != 1  # no text of base64 is so long
    )
    payload = b64(json.dumps(CLAIMS).encode().ljust((length - len(head) - 1) * 3 // 4))
    signed = f"{head}.{payload}"
    assert len(signed) == length
    return f"{signed}.{b64(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"


def test_a_secret_signs_no_more_than_2048_characters() -> None:
    assert proven(sized(2048), BY_SECRET, Known())
    assert refused(sized(2049), BY_SECRET, Known()) == "assertion_long"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"])
def test_a_key_of_the_client_proves_it_once(algorithm: str) -> None:
    signer = Signer(algorithm, "b")
    known = Known(key_set(OTHER, signer))
    (once,) = proven(signer.jwt(CLAIMS), BY_KEY, known)
    assert once.until == NOW + 61
    assert (
        refused(signer.jwt(CLAIMS), BY_KEY, Known(known.keys, frozenset({once.key}))) == "assertion_replayed"
    )


def test_a_thief_cannot_use_up_what_is_not_theirs() -> None:
    """What is wrong is told before what was used, and writes nothing."""
    (once,) = proven(KEY.jwt(CLAIMS), BY_KEY, Known(KEY.jwks))
    used = Known(KEY.jwks, frozenset({once.key}))
    assert refused(OTHER.jwt(CLAIMS), BY_KEY, used) == "assertion_signature"


@pytest.mark.parametrize(
    ("text", "keys", "reason"),
    [
        (OTHER.jwt(CLAIMS), KEY.jwks, "assertion_signature"),
        (KEY.jwt(CLAIMS, {"kid": "z"}), KEY.jwks, "assertion_key_unknown"),
        (KEY.jwt(CLAIMS | {"aud": "https://other.example"}), KEY.jwks, "assertion_aud"),
        (KEY.jwt(CLAIMS | {"exp": NOW}), KEY.jwks, "assertion_expired"),
        (unsigned(CLAIMS), KEY.jwks, "assertion_alg"),
        (KEY.jwt(CLAIMS), "", "keys_unreadable"),
        (KEY.jwt(CLAIMS), '{"keys":[]}', "assertion_key_unknown"),
    ],
)
def test_nothing_else_does(text: str, keys: str, reason: str) -> None:
    assert refused(text, BY_KEY, Known(keys)) == reason


def test_algorithms_are_the_profiles() -> None:
    strict = other_rules(OAUTH20, assertions=type(OAUTH20.assertions)(300, jwt.STRONG))
    book = Rulebook({"oauth20": strict}, strict, {}, ISSUER)
    signer = Signer("RS256")
    assert refused(signer.jwt(CLAIMS), BY_KEY, Known(signer.jwks), book) == "assertion_alg"
    assert proven(KEY.jwt(CLAIMS), BY_KEY, Known(KEY.jwks), book)


@pytest.mark.parametrize(
    "secrets",
    [(secret(),), (secret("other"), secret()), (secret(), secret("other")), (secret(SECRET, NOW + 1),)],
)
def test_a_secret_proves_it_once(secrets: Any) -> None:
    app = client(profile="oauth20", secrets=secrets, registered=BY_SECRET.registered)
    (once,) = proven(keyed(CLAIMS, SECRET.encode()), app, Known())
    again = Known("", frozenset({once.key}))
    assert refused(keyed(CLAIMS, SECRET.encode()), app, again) == "assertion_replayed"


@pytest.mark.parametrize(
    ("text", "app", "reason"),
    [
        (keyed(CLAIMS, b"other"), BY_SECRET, "secret_wrong"),
        (keyed(CLAIMS, b""), BY_SECRET, "secret_wrong"),
        (keyed(CLAIMS, SECRET.encode()), client(profile="oauth20", secrets=()), "secret_wrong"),
        (
            keyed(CLAIMS, SECRET.encode()),
            client(profile="oauth20", secrets=(secret(SECRET, NOW),)),
            "secret_wrong",
        ),
        (unsigned(CLAIMS, "HS256"), BY_SECRET, "secret_wrong"),
        (unsigned(CLAIMS, "HS256", bytes(32)), BY_SECRET, "secret_wrong"),
        (keyed(CLAIMS | {"x": "y" * 2000}, SECRET.encode()), BY_SECRET, "assertion_long"),
        (keyed(CLAIMS | {"jti": None}, SECRET.encode()), BY_SECRET, "assertion_jti"),
        (keyed(CLAIMS, SECRET.encode()), BY_KEY, "method_unknown"),
        (KEY.jwt(CLAIMS), BY_SECRET, "method_unknown"),
    ],
)
def test_no_other_secret_does(text: str, app: Client, reason: str) -> None:
    assert refused(text, app, Known(KEY.jwks)) == reason


def test_the_one_algorithm_of_secrets() -> None:
    with pytest.raises(InvalidClient, match=r"^client_assertion must be signed with HS256$") as caught:
        proven(keyed(CLAIMS, SECRET.encode(), {"alg": "HS512"}), BY_SECRET, Known())
    assert caught.value.reason == "assertion_alg"


def test_what_is_kept_of_a_secret_is_not_the_secret() -> None:
    kept = BY_SECRET.secrets[0]
    for key in (kept.signing_key, kept.digest, kept.digest.hex().encode(), b64(kept.digest).encode()):
        assert refused(keyed(CLAIMS, key), BY_SECRET, Known()) == "secret_wrong"


def test_a_client_of_the_origin_has_no_assertions() -> None:
    app = client(profile="classic")
    assert refused(KEY.jwt(CLAIMS), app, Known(KEY.jwks)) == "method_unknown"
    assert refused(keyed(CLAIMS, SECRET.encode()), app, Known()) == "method_unknown"


@pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt"])
def test_without_an_assertion(method: str) -> None:
    app = client(profile="oauth20", registered=Registration(token_endpoint_auth_method=method))
    with pytest.raises(InvalidClient) as caught:
        authenticate(app, Credentials("app", None, method), Known(KEY.jwks), BOOK, NOW)
    assert caught.value.reason == "assertion_missing"


def test_a_client_that_registered_keys_cannot_fall_back_to_a_secret() -> None:
    for method in ("client_secret_post", "client_secret_basic", "none"):
        with pytest.raises(InvalidClient) as caught:
            authenticate(BY_KEY, Credentials("app", SECRET, method), Known(KEY.jwks), BOOK, NOW)
        assert caught.value.reason == "method_unknown"
