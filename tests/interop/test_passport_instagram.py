"""passport-instagram 1.0.0 on passport."""

from tests.interop.conftest import AddApp, Drive
from tests.interop.origin_host import OriginHost
from tests.interop.valetkey_server import Account


def test_the_whole_flow(
    account: Account, add_app: AddApp, drive_node: Drive, origin_host: OriginHost
) -> None:
    origin_host.asked.clear()
    found = drive_node("passport_instagram", add_app(), environment=origin_host.environment)["user"]

    profile = found["profile"]
    assert profile["provider"] == "instagram"
    assert (profile["id"], profile["username"], profile["displayName"]) == (
        account.id,
        account.username,
        account.full_name,
    )
    assert found["params"]["user"]["id"] == account.id
    assert "refreshToken" not in found, "there is none in this dialect"
    assert origin_host.asked == [
        "POST https://api.instagram.com/oauth/access_token",
        f"GET https://api.instagram.com/v1/users/self?access_token={found['accessToken']}",
    ]


def test_a_denial_is_a_failed_login(add_app: AddApp, drive_node: Drive, origin_host: OriginHost) -> None:
    found = drive_node("passport_instagram", add_app(), decision="deny", environment=origin_host.environment)
    assert found == {"user": False, "info": {"message": "The user denied your request"}}
