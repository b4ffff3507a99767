"""social-auth-core 1.7.0 with its Instagram backend, through its whole pipeline."""

from urllib.parse import parse_qs, urlsplit

from tests.interop.conftest import AddApp, Drive
from tests.interop.origin_host import OriginHost
from tests.interop.valetkey_server import Account


def test_the_whole_flow(account: Account, add_app: AddApp, drive: Drive, origin_host: OriginHost) -> None:
    app = add_app()
    origin_host.asked.clear()
    found = drive("social_auth", app, environment=origin_host.environment)

    assert found["uid"] == account.id
    assert found["username"] == account.username
    assert found["names"]["fullname"] == account.full_name
    profile = found["profile"]["data"]
    assert (profile["id"], profile["full_name"]) == (account.id, account.full_name)

    token = found["extra_data"]["access_token"]
    profile_calls = [
        f"GET https://api.instagram.com/v1/users/self?access_token={token}&sig=" in asked
        for asked in origin_host.asked
    ]
    assert profile_calls == [True, True], (
        "once in the pipeline, once by hand; each signed, the path without .json"
    )


def test_it_varies_its_redirect_uri(add_app: AddApp, drive: Drive, origin_host: OriginHost) -> None:
    """It appends redirect_state to the registered redirect URI, and sends state beside it."""
    found = drive("social_auth", add_app(), environment=origin_host.environment)
    query = parse_qs(urlsplit(found["landed"]).query)
    assert query["redirect_state"] == query["state"]


def test_a_denial_is_a_cancelled_login(add_app: AddApp, drive: Drive) -> None:
    found = drive("social_auth", add_app(), decision="deny")
    assert found["canceled"] == "Authentication process canceled: The user denied your request"
