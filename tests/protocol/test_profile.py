"""Profiles are data: each field is there because two shipped profiles differ in it (house rule 4)."""

from dataclasses import fields
from itertools import combinations

import pytest

from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles import PROFILES


@pytest.mark.parametrize("field", [field.name for field in fields(Profile)])
def test_two_shipped_profiles_differ_in_every_field(field: str) -> None:
    values = [getattr(profile, field) for profile in PROFILES.values()]
    assert any(one != other for one, other in combinations(values, 2))


def test_every_profile_stands_under_its_own_name() -> None:
    names = [profile.name for profile in PROFILES.values()]
    assert names == list(PROFILES) == ["classic", "oauth20", "oauth21", "fapi2", "mcp"]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_what_holds_in_every_profile(profile: Profile) -> None:
    assert 0 < profile.code_lifetime <= 600  # RFC 6749 4.1.2
    assert profile.redirect_matches("https://a.test/cb", "https://a.test/cb")
    assert not profile.redirect_matches("https://a.test/cb", "https://a.test/cb/")
    assert ("error", "access_denied") in profile.denial
    assert profile.redirect_again or profile.pkce_required  # a code is bound to what its thief does not have
    assert (
        profile.errors_redirected is profile.issuer_in_answer
    )  # nothing is redirected without saying from whom
    assert profile.client_auth
