"""The OAuth clients of today, each as it comes: login, consent, code with PKCE, token, and what else it can."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.interop.conftest import AddApp, Drive
from tests.interop.valetkey_server import Account, ValetkeyServer
from tests.program import free_port

# What each can do beside the code flow. Introspection asks who is asking, so a public client has none.
CAN = {
    "authlib_pkce": {"refresh", "introspect", "revoke"},
    "requests_oauthlib_pkce": {"refresh", "revoke"},
    "httpx_oauth_pkce": {"refresh", "revoke"},
    "oauth4webapi_pkce": {"refresh", "introspect", "revoke"},
    "openid_client_pkce": {"refresh", "introspect", "revoke"},
    "simple_oauth2_pkce": {"refresh", "revoke"},
    "grant_pkce": set(),
    "arctic_pkce": {"refresh", "revoke"},
    "passport_oauth2_pkce": {"refresh"},
    "golang_oauth2": {"refresh"},
}
SECRET_ONLY = {"httpx_oauth_pkce", "simple_oauth2_pkce"}  # they cannot be told that there is no secret
STORIES = [(name, "web") for name in CAN] + [(name, "spa") for name in CAN if name not in SECRET_ONLY]


@pytest.mark.parametrize(("client", "kind"), STORIES)
def test_the_whole_story(
    server: ValetkeyServer, account: Account, add_app: AddApp, drive_today: Drive, client: str, kind: str
) -> None:
    callback = f"http://127.0.0.1:{free_port()}/connect/valetkey/callback"  # the path that grant insists on
    app = add_app(callback, kind=kind, profile="oauth21")
    found = drive_today(client, app, scope="basic likes")
    (landed,) = found["landed"]
    assert parse_qs(urlsplit(landed).query)["iss"] == [server.base]
    check_tokens(found["token"])
    assert found["api"] == 200
    can = CAN[client] - ({"introspect"} if kind == "spa" else set())
    if "refresh" in can:
        check_tokens(found["refreshed"])
        assert found["refreshed"]["access_token"] != found["token"]["access_token"]
        assert found["refreshed_api"] == 200
    if "introspect" in can:
        claims = found["introspected"]
        assert claims["active"] is True
        assert (claims["client_id"], claims["username"]) == (app.client_id, account.username)
        assert set(claims["scope"].split()) == {"basic", "likes"}
    if "revoke" in can:
        assert found["revoked_api"] == 401, "get another (RFC 6750 3.1)"
    told = {"refresh": "refreshed", "introspect": "introspected", "revoke": "revoked_api"}
    assert {step for step, key in told.items() if key in found} == can, "no step was left out"


def check_tokens(token: dict[str, Any]) -> None:
    """A token answer as the client understood it (RFC 6749 5.1)."""
    assert token["access_token"]
    assert token["refresh_token"]
    assert token["token_type"].lower() == "bearer"
    assert token["expires_in"] == 3600
    scope = token["scope"]
    assert set(scope if isinstance(scope, list) else scope.split()) == {"basic", "likes"}
