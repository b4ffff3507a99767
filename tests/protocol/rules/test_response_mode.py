"""Answers as they are, or signed (JARM)."""

import pytest

from tests.protocol.samples import ISSUER, NOW, REDIRECT, params
from valetkey.protocol.errors import InvalidRequest
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.response_mode import check, claims, signed

TODAY = [profile for profile in PROFILES.values() if profile is not CLASSIC]
BAD = ["fragment", "fragment.jwt", "form_post", "form_post.jwt", "JWT", "jwt ", "none"]


@pytest.mark.parametrize("profile", TODAY, ids=lambda profile: profile.name)
@pytest.mark.parametrize(
    ("mode", "sealed"), [(None, False), ("", False), ("query", False), ("jwt", True), ("query.jwt", True)]
)
def test_the_mode_says_whether_the_answer_is_signed(profile: Profile, mode: str | None, sealed: bool) -> None:
    sent = params() if mode is None else params(response_mode=mode)
    check(sent, profile, signs=True)
    assert signed(sent, profile) is sealed


@pytest.mark.parametrize("mode", BAD)
def test_other_modes_are_refused_and_the_refusal_is_not_signed(mode: str) -> None:
    sent = params(response_mode=mode)
    with pytest.raises(InvalidRequest) as caught:
        check(sent, OAUTH21, signs=True)
    assert caught.value.reason == "response_mode_unknown"
    assert signed(sent, OAUTH21) is False


@pytest.mark.parametrize("mode", ["jwt", "query", *BAD])
def test_classic_never_heard_of_it(mode: str) -> None:
    check(params(response_mode=mode), CLASSIC, signs=False)
    assert signed(params(response_mode=mode), CLASSIC) is False


@pytest.mark.parametrize("redirect_uri", [REDIRECT, REDIRECT + "?a=b&code=own"])
def test_the_jwt_says_what_the_query_would_have_said(redirect_uri: str) -> None:
    joined = "&" if "?" in redirect_uri else "?"
    location = f"{redirect_uri}{joined}code=abc&state=a+b%26c&iss=https%3A%2F%2Fid.test"
    assert claims(redirect_uri, location, "app", ISSUER, NOW) == {
        "code": "abc",
        "state": "a b&c",
        "iss": ISSUER,
        "aud": "app",
        "exp": NOW + 300,
    }


@pytest.mark.parametrize(
    ("mode", "fine"), [("", True), ("query", True), ("jwt", False), ("query.jwt", False)]
)
def test_without_a_key_no_signed_answer_is_promised(mode: str, fine: bool) -> None:
    sent = params(response_mode=mode)
    check(sent, OAUTH21, signs=True)
    if fine:
        return check(sent, OAUTH21, signs=False)
    with pytest.raises(InvalidRequest, match="does not sign") as no:
        check(sent, OAUTH21, signs=False)
    assert no.value.reason == "answer_unsigned"
