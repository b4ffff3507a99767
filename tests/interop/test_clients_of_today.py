"""The OAuth clients of today, each as it comes: login, consent, code with PKCE, token, and what else it can."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.interop.conftest import AddApp, Drive
from tests.interop.valetkey_server import ValetkeyServer, free_port

BOTH = ("authlib_pkce", "requests_oauthlib_pkce", "arctic_pkce", "grant_pkce", "golang_oauth2")
SECRET_ONLY = ("httpx_oauth_pkce", "simple_oauth2_pkce")  # cannot be told that there is no secret
STORIES = [(name, "web") for name in BOTH + SECRET_ONLY] + [(name, "spa") for name in BOTH]


@pytest.mark.parametrize(("client", "kind"), STORIES)
def test_the_whole_story(
    server: ValetkeyServer, add_app: AddApp, drive_today: Drive, client: str, kind: str
) -> None:
    callback = f"http://127.0.0.1:{free_port()}/connect/valetkey/callback"  # the path that grant insists on
    found = drive_today(client, add_app(callback, kind=kind, profile="oauth21"))
    token = found["token"]
    assert token["access_token"]
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 3600
    assert token["scope"] in ("basic", ["basic"])
    assert found["api"] == 200
    (landed,) = found["landed"]
    assert parse_qs(urlsplit(landed).query)["iss"] == [server.base]
