"""A client of today that uses all there is: requests are pushed (RFC 9126), tokens are bound to its key (RFC 9449)."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.interop.conftest import AddApp, Drive
from tests.interop.valetkey_server import App, ValetkeyServer
from tests.signing import Signer, number


@pytest.mark.parametrize("kind", ["web", "spa"])
def test_a_pushed_request_and_bound_tokens(add_app: AddApp, drive_today: Drive, kind: str) -> None:
    check_story(drive_today, add_app(kind=kind, profile="oauth21"), confidential=kind == "web")


def test_the_rules_of_fapi(
    server: ValetkeyServer, add_app: AddApp, drive_today: Drive, tmp_path: Path
) -> None:
    """The same under the profile fapi2, where nothing less is enough: the client signs for itself (RFC 7523)."""
    app = add_app("https://app.example.org/callback", profile="fapi2")
    key = Signer("ES256", kid="interop")
    server.has_key(app, key.jwks, tmp_path / "keys.json")
    private = key.jwk | {"d": number(key.key.private_numbers().private_value, 32)}
    check_story(drive_today, App(app.client_id, None, app.redirect_uri), True, key=json.dumps(private))


def check_story(drive_today: Drive, app: App, confidential: bool, **more: str) -> None:
    """What the person's browser carried, what the tokens are, and that a thief has no use of them."""
    found = drive_today("openid_client_strict", app, scope="basic likes", **more)
    asked = parse_qs(urlsplit(found["asked"]).query)
    assert asked.keys() == {"client_id", "request_uri"}, "the browser carries nothing else"
    assert asked["request_uri"][0].startswith("urn:ietf:params:oauth:request_uri:")
    assert found["token"]["token_type"] == found["refreshed"]["token_type"] == "dpop"
    assert (found["api"], found["refreshed_api"]) == (200, 200)
    assert found["other_key_api"] == 401
    assert found["revoked_api"] == 401, "get another (RFC 6750 3.1)"
    if confidential:
        claims = found["introspected"]
        assert (claims["active"], claims["token_type"]) == (True, "DPoP")
        assert claims["cnf"].keys() == {"jkt"}
