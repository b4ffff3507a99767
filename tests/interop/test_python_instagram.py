"""python-instagram 1.3.2, the origin service's own library."""

from tests.interop.conftest import AddApp, Drive
from tests.interop.valetkey_server import Account, ValetkeyServer


def test_the_whole_flow(server: ValetkeyServer, account: Account, add_app: AddApp, drive: Drive) -> None:
    app = add_app()
    found = drive("python_instagram", app)

    assert found["login_page"].startswith(f"{server.base}/accounts/login/")
    user = found["user"]
    assert user.keys() == {"id", "username", "full_name", "profile_picture"}
    account.check_told(user)
    assert found["me"] == user, "by the API, with a signature over the path with .json, given twice"
    assert found["by_id"] == user

    # Characters that the library pastes raw into URLs, and the shape of the document's sample.
    first, dot, rest = found["token"].partition(".")
    assert (first, dot, len(rest)) == (app.client_id[:7], ".", 32)
    assert set(rest) <= set("0123456789abcdef")


def test_the_rate_limit_is_told(add_app: AddApp, drive: Drive) -> None:
    limit, remaining = map(int, drive("python_instagram", add_app())["rate"])
    assert 0 < remaining < limit


def test_refusals_in_the_words_it_shows_its_user(add_app: AddApp, drive: Drive) -> None:
    found = drive("python_instagram", add_app())
    invalid = "(400) OAuthAccessTokenException-The access_token provided is invalid."
    assert found["wrong_secret"] == "Invalid Client Secret"
    assert found["nobody"] == "(400) APINotFoundError-this user does not exist"
    assert found["bad_token"] == invalid
    assert found["used_twice"] == "Matching code was not found or was already used."
    assert found["revoked"] == invalid, "a replayed code takes its token with it"
