"""Programs that act for themselves, with the libraries of today: client_credentials, the secret shown both ways."""

import pytest

from tests.interop.conftest import AddApp, Drive

CLIENTS = ("authlib_machine", "requests_oauthlib_machine", "simple_oauth2_machine", "golang_machine")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_machine_gets_a_token(add_app: AddApp, drive_today: Drive, client: str) -> None:
    app = add_app(kind="service", profile="oauth21")
    found = drive_today(client, app, scope="public_content")
    assert found["landed"] == [], "nobody was asked"
    by_basic, in_body = found["tokens"]
    assert by_basic["access_token"] != in_body["access_token"]
    for token in (by_basic, in_body):
        assert token["token_type"].lower() == "bearer"
        assert token["expires_in"] == 3600
        assert token["scope"] in ("public_content", ["public_content"])
        assert not token.get("refresh_token"), "RFC 6749 4.4.3: there is nobody to come back for"
