"""requests-oauthlib on oauthlib, both flows."""

from tests.interop.conftest import AddApp, Drive
from tests.interop.valetkey_server import Account


def test_the_server_side_flow(account: Account, add_app: AddApp, drive: Drive) -> None:
    """Credentials in the body and in the Basic header at once; the token in the query."""
    found = drive("requests_oauthlib_code", add_app())
    user = found["token"]["user"]
    account.check_told(user)
    assert found["called"].endswith(f"/v1/users/self?access_token={found['token']['access_token']}")
    assert found["status"] == 200
    assert found["me"]["data"]["id"] == account.id


def test_a_denial_is_its_access_denied_error(add_app: AddApp, drive: Drive) -> None:
    found = drive("requests_oauthlib_code", add_app(), decision="deny")
    assert found == {"error": "access_denied", "description": "The user denied your request"}


def test_the_implicit_flow(account: Account, add_app: AddApp, drive: Drive) -> None:
    """A public client: no secret is made, none is sent; the token goes in the header."""
    app = add_app(kind="spa", implicit=True)
    assert app.client_secret is None
    found = drive("requests_oauthlib_implicit", app)
    token = found["token"]["access_token"]
    assert found["landed"] == f"{app.redirect_uri}#access_token={token}", "the fragment holds nothing else"
    assert found["token"] == {"access_token": token}
    assert found["sent"] == f"Bearer {token}"
    assert found["status"] == 200
    me = found["me"]["data"]
    account.check_told(me)


def test_the_implicit_flow_gives_state_back_in_the_query(add_app: AddApp, drive: Drive) -> None:
    """oauthlib's own check looks into the fragment, where the origin never put it; the app can compare it itself."""
    found = drive("requests_oauthlib_implicit", add_app(kind="spa", implicit=True))
    assert found["state_given_back"]
    assert found["refused_with_state"] == "Mismatching or missing state in params."
    assert found["second"].keys() == {"access_token"}
