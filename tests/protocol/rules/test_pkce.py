"""PKCE: S256 or nothing; a challenge needs its verifier, and a verifier its challenge (C8-C10, R11)."""

import base64
import hashlib

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.protocol.samples import CHALLENGE, VERIFIER, code, params
from valetkey.protocol.errors import InvalidGrant, InvalidRequest
from valetkey.protocol.rules.pkce import check_verifier, read_challenge, s256

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
VERIFIERS = st.text(UNRESERVED, min_size=43, max_size=128)


@pytest.mark.parametrize("required", [True, False])
def test_a_challenge_is_read(required: bool) -> None:
    sent = params(code_challenge=CHALLENGE, code_challenge_method="S256")
    assert read_challenge(sent, required) == CHALLENGE


def test_without_a_challenge() -> None:
    assert read_challenge(params(), required=False) is None
    with pytest.raises(InvalidRequest, match="code_challenge is missing") as caught:
        read_challenge(params(), required=True)
    assert caught.value.reason == "challenge_missing"


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ({"code_challenge_method": "S256"}, "challenge_missing"),
        ({"code_challenge_method": "plain"}, "challenge_missing"),
        ({"code_challenge": "", "code_challenge_method": "S256"}, "challenge_missing"),
        ({"code_challenge": CHALLENGE}, "challenge_method"),  # C10: the default would be plain
        ({"code_challenge": CHALLENGE, "code_challenge_method": ""}, "challenge_method"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "challenge_method"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "s256"}, "challenge_method"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "S256 "}, "challenge_method"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "S512"}, "challenge_method"),
        ({"code_challenge": CHALLENGE[:-1], "code_challenge_method": "S256"}, "challenge_malformed"),
        ({"code_challenge": CHALLENGE + "=", "code_challenge_method": "S256"}, "challenge_malformed"),
        ({"code_challenge": CHALLENGE + "a", "code_challenge_method": "S256"}, "challenge_malformed"),
        ({"code_challenge": CHALLENGE + "\n", "code_challenge_method": "S256"}, "challenge_malformed"),
        ({"code_challenge": "+" + CHALLENGE[1:], "code_challenge_method": "S256"}, "challenge_malformed"),
        ({"code_challenge": "é" + CHALLENGE[1:], "code_challenge_method": "S256"}, "challenge_malformed"),
        ({"code_challenge": " " + CHALLENGE, "code_challenge_method": "S256"}, "challenge_malformed"),
    ],
)
@pytest.mark.parametrize("required", [True, False])
def test_any_other_challenge_is_refused(pairs: dict[str, str], reason: str, required: bool) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_challenge(params(**pairs), required)
    assert caught.value.reason == reason


def test_the_pair_of_rfc_7636_appendix_b() -> None:
    assert s256(VERIFIER) == CHALLENGE
    assert check_verifier(code(challenge=CHALLENGE), VERIFIER) is None
    assert check_verifier(code(), None) is None


@pytest.mark.parametrize(
    ("challenge", "verifier", "reason"),
    [
        (CHALLENGE, None, "verifier_missing"),  # C8
        (None, VERIFIER, "verifier_unasked"),  # C9
        (CHALLENGE, CHALLENGE, "verifier_wrong"),  # C10: plain
        (CHALLENGE, VERIFIER[:-1], "verifier_wrong"),
        (CHALLENGE, VERIFIER + "a", "verifier_wrong"),
        (CHALLENGE, VERIFIER + "\n", "verifier_wrong"),
        (CHALLENGE, " " + VERIFIER, "verifier_wrong"),
        (CHALLENGE, VERIFIER.swapcase(), "verifier_wrong"),
        (CHALLENGE, "é" * 43, "verifier_wrong"),
        (s256("a" * 42), "a" * 42, "verifier_wrong"),
        (s256("a" * 129), "a" * 129, "verifier_wrong"),
        (s256("+" * 43), "+" * 43, "verifier_wrong"),
        (s256(""), "", "verifier_wrong"),
        (VERIFIER, VERIFIER, "verifier_wrong"),  # a challenge kept as if it were plain
    ],
)
def test_any_other_verifier_is_refused(challenge: str | None, verifier: str | None, reason: str) -> None:
    with pytest.raises(InvalidGrant) as caught:
        check_verifier(code(challenge=challenge), verifier)
    assert (caught.value.reason, caught.value.changes) == (reason, ())


@given(VERIFIERS)
@example("a" * 43)
@example("~" * 128)
def test_every_verifier_belongs_to_its_own_challenge(verifier: str) -> None:
    challenge = s256(verifier)
    assert base64.urlsafe_b64decode(challenge + "=") == hashlib.sha256(verifier.encode()).digest()
    sent = params(code_challenge=challenge, code_challenge_method="S256")
    assert read_challenge(sent, required=True) == challenge
    assert check_verifier(code(challenge=challenge), verifier) is None


@given(VERIFIERS, VERIFIERS | st.text())
def test_and_to_no_other(verifier: str, other: str) -> None:
    assume(verifier != other)
    with pytest.raises(InvalidGrant):
        check_verifier(code(challenge=s256(verifier)), other)
