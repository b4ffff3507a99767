"""Devices without a browser (RFC 8628), with a library of today: it shows a code, and a person answers elsewhere."""

from tests.interop.conftest import AddApp, Drive

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def test_a_device_is_let_in(add_app: AddApp, drive_today: Drive) -> None:
    app = add_app("", kind="native", profile="oauth21", said=f"grant_types={DEVICE} refresh_token")
    found = drive_today("openid_client_device", app, scope="basic likes")
    assert found["shown"]["user_code"].replace("-", "").isalpha()
    (last_page,) = found["landed"]
    assert "device" in last_page
    token = found["token"]
    assert token["refresh_token"]
    assert set(token["scope"].split()) == {"basic", "likes"}
    assert found["api"] == 200
