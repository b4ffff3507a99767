"""Signed requests, held to the standard library's HMAC and SHA-256 (classic.md 4)."""

import hashlib
import hmac
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.protocol.samples import NOW, SECRET, client, params, public, query, secret
from valetkey.protocol.errors import AccessDenied
from valetkey.protocol.model import Client, ClientSecret
from valetkey.protocol.params import Params, parse
from valetkey.protocol.rules import signed_request
from valetkey.protocol.rules.signed_request import absorb, check, finish, mac, signing_key

PATH = "/users/self"
MISSING = "Invalid signed-request: Missing required parameter 'sig'"
WRONG = "Invalid signed-request: Signature does not match"
BLOCKS = st.sampled_from([0, 1, 55, 56, 63, 64, 65, 119, 120, 128])


def sign(key: str, path: str, /, **pairs: str) -> str:
    """As a client does it."""
    text = path + "".join(f"|{name}={pairs[name]}" for name in sorted(pairs))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


# --- the primitives ---------------------------------------------------------------------------------------------------


def test_the_constants_are_those_of_sha_256() -> None:
    assert signed_request.START[0] == 0x6A09E667 and signed_request.START[-1] == 0x5BE0CD19
    assert signed_request.ROUNDS[0] == 0x428A2F98 and signed_request.ROUNDS[-1] == 0xC67178F2
    assert (len(signed_request.START), len(signed_request.ROUNDS)) == (8, 64)


@given(st.binary(min_size=64, max_size=64), st.binary(max_size=300) | BLOCKS.map(bytes))
def test_sha_256(block: bytes, rest: bytes) -> None:
    assert finish(absorb(signed_request.START, block), rest) == hashlib.sha256(block + rest).digest()


@given(st.text(max_size=100) | BLOCKS.map(lambda n: "k" * n), st.binary(max_size=300) | BLOCKS.map(bytes))
@example("Jefe", b"what do ya want for nothing?")
@example("\N{EURO SIGN}" * 22, b"")
def test_hmac_sha_256(key: str, message: bytes) -> None:
    assert mac(signing_key(key), message) == hmac.digest(key.encode(), message, "sha256")


def test_what_is_kept_is_not_the_secret() -> None:
    kept = signing_key(SECRET)
    assert len(kept) == 64
    assert SECRET.encode() not in kept


# --- the check --------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
PAIRS = st.dictionaries(TEXT.filter(bool).filter(lambda name: name != "sig"), TEXT, max_size=5)


@given(PAIRS, st.sampled_from([PATH, PATH + ".json"]), st.sampled_from([str, str.upper]))
def test_what_a_client_signs_is_accepted(
    pairs: dict[str, str], signed: str, spelled: Callable[[str], str]
) -> None:
    given_sig = spelled(sign(SECRET, signed, **pairs))
    assert check(client(), PATH, params(**pairs, sig=given_sig), NOW) is None
    assert check(client(), PATH, query(**{"sig": given_sig, **pairs}), NOW) is None


def test_sig_may_be_there_twice() -> None:
    sig = sign(SECRET, PATH, access_token="a")
    sent = parse(f"sig={sig}&access_token=a&sig={sig}".encode(), repeated="sig")
    assert check(client(), PATH, sent, NOW) is None


GOOD = sign(SECRET, PATH, access_token="a", count="1")


@pytest.mark.parametrize(
    "sent",
    [
        params(access_token="a", count="1"),
        params(access_token="a", count="1", sig=""),
    ],
)
def test_without_a_signature(sent: Params) -> None:
    with pytest.raises(AccessDenied) as caught:
        check(client(), PATH, sent, NOW)
    assert (caught.value.reason, caught.value.description) == ("sig_missing", MISSING)


@pytest.mark.parametrize(
    ("app", "path", "pairs"),
    [
        (client(), PATH, {"sig": "0" * 64}),
        (client(), PATH, {"sig": GOOD[:-1]}),
        (client(), PATH, {"sig": GOOD + "0"}),
        (client(), PATH, {"sig": " " + GOOD}),
        (client(), PATH, {"sig": "é"}),
        (client(), PATH, {"access_token": "b"}),
        (client(), PATH, {"count": ""}),
        (client(), PATH, {"more": "1"}),
        (client(), PATH, {"more": ""}),
        (client(), PATH, {"Sig": GOOD}),
        (client(), "/users/1", {}),
        (client(), "/users/self/", {}),
        (client(), "/v1/users/self", {}),
        (client(), PATH + ".json", {}),
        (client(secrets=(secret("another"),)), PATH, {}),
        (client(secrets=(secret(SECRET, NOW),)), PATH, {}),
        (client(secrets=()), PATH, {}),
        (public(), PATH, {"sig": hmac.new(b"", b"", "sha256").hexdigest()}),
    ],
)
def test_whatever_was_not_signed_is_refused(app: Client, path: str, pairs: dict[str, str]) -> None:
    sent = {"access_token": "a", "count": "1", "sig": GOOD}
    assert check(client(), PATH, params(**sent), NOW) is None
    with pytest.raises(AccessDenied) as caught:
        check(app, path, params(**{**sent, **pairs}), NOW)
    assert (caught.value.reason, caught.value.description) == ("sig_wrong", WRONG)


@pytest.mark.parametrize(
    "secrets",
    [
        (secret(SECRET),),
        (secret(SECRET, NOW + 1),),
        (secret("new"), secret(SECRET, NOW + 1)),
        (secret(SECRET), secret("old", NOW)),
    ],
)
def test_every_living_secret_may_sign(secrets: tuple[ClientSecret, ...]) -> None:
    sent = params(access_token="a", count="1", sig=GOOD)
    assert check(client(secrets=secrets), PATH, sent, NOW) is None


@pytest.mark.parametrize("ending", ["", ".json", "/"])
def test_each_spelling_of_the_path_may_be_signed(ending: str) -> None:
    sent = params(access_token="a", sig=sign(SECRET, PATH + ending, access_token="a"))
    assert check(client(), PATH, sent, NOW) is None


def test_the_constants_are_made_as_the_standard_says() -> None:
    assert signed_request.primes(5) == [2, 3, 5, 7, 11]
    assert tuple(signed_request.primes(64)) == tuple(
        number for number in range(2, 312) if all(number % smaller for smaller in range(2, number))
    )
    assert (
        tuple(signed_request.cube_root_fraction(p) for p in signed_request.primes(64))
        == signed_request.ROUNDS
    )
