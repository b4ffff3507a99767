"""What an access token says of itself, as a table of cases."""

import pytest
from msgspec.structs import replace

from tests.protocol.samples import ISSUER, NOW, authorization
from valetkey.protocol.model import NOBODY, AccessToken, Terms
from valetkey.protocol.rules import claims

PLAIN = {
    "iss": ISSUER,
    "sub": "1",
    "aud": ISSUER,
    "client_id": "app",
    "iat": NOW,
    "scope": "basic",
    "exp": NOW + 60,
}
TOKEN = AccessToken(b"t", authorization(), NOW, NOW + 60)


def of(token: Terms, root: Terms) -> claims.Claims:
    bound = replace(TOKEN, terms=token, authorization=authorization(terms=root))
    return claims.of(bound, ISSUER)


def test_the_plain_one():
    assert claims.of(TOKEN, ISSUER) == PLAIN
    assert claims.of(replace(TOKEN, expires_at=None), ISSUER) == {
        name: value for name, value in PLAIN.items() if name != "exp"
    }


def test_an_apps_own_is_about_the_app():
    own = replace(TOKEN, authorization=authorization(account_id=NOBODY))
    assert claims.of(own, ISSUER) == PLAIN | {"sub": "app"}


ONE, TWO = "https://a.test/", "https://b.test/"


@pytest.mark.parametrize(
    ("token", "root", "more"),
    [
        (Terms(scope=("likes", "basic")), Terms(scope=("x",)), {"scope": "likes basic"}),
        (Terms(), Terms(resource=(ONE,)), {"aud": ONE}),
        (Terms(resource=(TWO,)), Terms(resource=(ONE, TWO)), {"aud": TWO}),
        (Terms(), Terms(resource=(ONE, TWO)), {"aud": [ONE, TWO]}),
        (Terms(jkt="k"), Terms(), {"cnf": {"jkt": "k"}}),
        (Terms(x5t="c"), Terms(), {"cnf": {"x5t#S256": "c"}}),
        (Terms(jkt="k", x5t="c"), Terms(), {"cnf": {"jkt": "k", "x5t#S256": "c"}}),
        (Terms(), Terms(jkt="k", x5t="c"), {}),  # what binds the code does not bind the token
        (Terms(actor='{"sub":"service"}'), Terms(), {"act": {"sub": "service"}}),
        (Terms(client="other"), Terms(), {"client_id": "other"}),
        (Terms(), Terms(details='[{"type":"x"}]'), {"authorization_details": [{"type": "x"}]}),
        (
            Terms(details='[{"type":"y"}]'),
            Terms(details='[{"type":"x"}]'),
            {"authorization_details": [{"type": "y"}]},
        ),
        (Terms(client="other"), Terms(details='[{"type":"x"}]'), {"client_id": "other"}),
        (Terms(), Terms(auth_time=5, acr="pwd"), {"auth_time": 5, "acr": "pwd"}),
        (Terms(auth_time=6, acr="otp"), Terms(auth_time=5, acr="pwd"), {"auth_time": 6, "acr": "otp"}),
    ],
)
def test_what_binds_and_narrows_it(token: Terms, root: Terms, more: dict[str, object]):
    assert of(token, root) == PLAIN | more
