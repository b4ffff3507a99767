"""code and token: what each mints, and the address that it goes to, exactly (D3, D4; classic.md 2)."""

import pytest

from tests.protocol.samples import ISSUER, NOW, account, client
from valetkey.protocol.decision import Answer
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.response_types import RESPONSE_TYPES

CB = "https://rp.test/cb"


def answer(kind: str, redirect_uri: str, state: str, profile: Profile = CLASSIC) -> Answer:
    return Answer(client(), account(), profile, kind, redirect_uri, state, ("basic",), None, NOW)


@pytest.mark.parametrize(
    ("kind", "redirect_uri", "state", "location"),
    [
        # D3: http://your-redirect-uri?code=CODE
        ("code", "http://your-redirect-uri", "", "http://your-redirect-uri?code=CODE"),
        ("code", CB, "", f"{CB}?code=CODE"),
        ("code", CB, "a+b%20c", f"{CB}?code=CODE&state=a+b%20c"),
        ("code", f"{CB}?this=that", "", f"{CB}?this=that&code=CODE"),
        ("code", f"{CB}?this=that", "S", f"{CB}?this=that&code=CODE&state=S"),
        ("code", "ig1://authorize", "S", "ig1://authorize?code=CODE&state=S"),
        # D4: http://your-redirect-uri#access_token=ACCESS-TOKEN
        ("token", "http://your-redirect-uri", "", "http://your-redirect-uri#access_token=CODE"),
        ("token", CB, "", f"{CB}#access_token=CODE"),
        ("token", CB, "S", f"{CB}?state=S#access_token=CODE"),
        ("token", f"{CB}?this=that", "", f"{CB}?this=that#access_token=CODE"),
        ("token", f"{CB}?this=that", "a+b%20c", f"{CB}?this=that&state=a+b%20c#access_token=CODE"),
        ("token", "ig1://authorize", "", "ig1://authorize#access_token=CODE"),
    ],
)
def test_where_the_browser_goes(kind: str, redirect_uri: str, state: str, location: str) -> None:
    assert RESPONSE_TYPES[kind].location(answer(kind, redirect_uri, state), "CODE", ISSUER) == location


def test_todays_profiles_name_the_issuer() -> None:
    where = RESPONSE_TYPES["code"].location(answer("code", CB, "S", OAUTH20), "CODE", ISSUER)
    assert where == f"{CB}?code=CODE&state=S&iss=https%3A%2F%2Fid.test"


@pytest.mark.parametrize(("name", "issues", "in_front"), [("code", "code", False), ("token", "token", True)])
def test_what_each_mints(name: str, issues: str, in_front: bool) -> None:
    kind = RESPONSE_TYPES[name]
    assert (kind.name, kind.issues, kind.in_front) == (name, issues, in_front)


def test_every_profile_names_known_response_types() -> None:
    named = frozenset().union(*(profile.response_types for profile in PROFILES.values()))
    assert named == set(RESPONSE_TYPES)
