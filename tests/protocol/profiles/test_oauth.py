"""oauth20 and oauth21: what today's profiles ask for (RFC 6749 as RFC 9700 wants it, OAuth 2.1 draft)."""

import pytest

from valetkey.protocol.client_auth import METHODS
from valetkey.protocol.profile import Assertions, Profile
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules import jwt
from valetkey.protocol.rules.redirect_uri import exact

TODAY = pytest.mark.parametrize("profile", [OAUTH20, OAUTH21], ids=["oauth20", "oauth21"])


@TODAY
def test_what_both_ask_for(profile: Profile) -> None:
    assert profile.redirect_matches is exact  # A1
    assert profile.response_types == {"code"}  # A15: no implicit flow
    assert profile.client_auth == set(METHODS)
    assert profile.assertions == Assertions(3600, jwt.SIGNED)  # RS256 too: most clients know no other
    assert profile.always_scope == ()
    assert (profile.token_path, profile.token_form) == ("/oauth/token", "prefixed")
    assert (profile.code_lifetime, profile.token_lifetime) == (60, 3600)  # R6
    assert (profile.plain_http, profile.credentials_twice) == (False, False)
    assert (profile.errors_redirected, profile.issuer_in_answer) == (True, True)  # A12


def test_what_oauth_2_1_asks_for_beyond() -> None:
    assert (OAUTH20.pkce_required, OAUTH20.redirect_again) == (False, True)
    assert (OAUTH21.pkce_required, OAUTH21.redirect_again) == (True, False)
