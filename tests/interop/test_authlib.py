"""Authlib, as of today, with client_secret_post."""

from tests.interop.conftest import AddApp, Drive
from tests.interop.valetkey_server import Account


def test_the_whole_flow(account: Account, add_app: AddApp, drive: Drive) -> None:
    found = drive("authlib_session", add_app())
    assert found["token"].keys() == {"access_token", "user"}
    user = found["token"]["user"]
    account.check_told(user)
    assert found["sent"] == f"Bearer {found['token']['access_token']}"
    assert found["status"] == 200
    me = found["me"]["data"]
    account.check_told(me)
