"""Where the browser goes with an answer, character by character (RFC 6749 4.1.2, RFC 9207; D3-D5)."""

import pytest

from tests.protocol.samples import ISSUER
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.rules.response_type import query, refusal

CB = "https://rp.test/cb"
DENIED = "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request"
ISS = "iss=https%3A%2F%2Fid.test"


@pytest.mark.parametrize(
    ("pairs", "state", "profile", "text"),
    [
        ((("code", "abc"),), "", CLASSIC, "code=abc"),
        ((("code", "abc"),), "a%20b", CLASSIC, "code=abc&state=a%20b"),
        ((("code", "abc"),), "", OAUTH20, f"code=abc&{ISS}"),
        ((("code", "abc"),), "s", OAUTH20, f"code=abc&state=s&{ISS}"),
        ((("a", "b c&d=é"), ("e", "f")), "", CLASSIC, "a=b+c%26d%3D%C3%A9&e=f"),
        ((), "", CLASSIC, ""),
        ((), "s", CLASSIC, "state=s"),
    ],
)
def test_the_parameters_of_an_answer(
    pairs: tuple[tuple[str, str], ...], state: str, profile: Profile, text: str
) -> None:
    assert query(pairs, state, profile, ISSUER) == text


@pytest.mark.parametrize(
    ("redirect_uri", "state", "profile", "location"),
    [
        # D5: http://your-redirect-uri?error=access_denied&error_reason=user_denied&error_description=The+user+denied+...
        ("http://your-redirect-uri", "", CLASSIC, f"http://your-redirect-uri?{DENIED}"),
        (CB, "s", CLASSIC, f"{CB}?{DENIED}&state=s"),
        (CB + "?a=b", "", CLASSIC, f"{CB}?a=b&{DENIED}"),
        (CB + "?a=b", "s", CLASSIC, f"{CB}?a=b&{DENIED}&state=s"),
        (
            CB,
            "s",
            OAUTH20,
            f"{CB}?error=access_denied&error_description=The+user+denied+your+request&state=s&{ISS}",
        ),
    ],
)
def test_a_denial(redirect_uri: str, state: str, profile: Profile, location: str) -> None:
    assert refusal(redirect_uri, profile.denial, state, profile, ISSUER) == location
