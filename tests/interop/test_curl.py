"""curl, with the options of the origin document's own sample request."""

import json
import shutil
import subprocess
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.interop.browser import Browser
from tests.interop.conftest import AddApp
from tests.interop.valetkey_server import Account, ValetkeyServer


def test_the_documents_sample_request(
    server: ValetkeyServer, account: Account, add_app: AddApp, browser: Browser
) -> None:
    """curl -F 'client_id=CLIENT_ID' -F ... sends multipart/form-data."""
    app = add_app()
    asked = {"client_id": app.client_id, "redirect_uri": app.redirect_uri, "response_type": "code"}
    landed = browser.follow(f"{server.base}/oauth/authorize/?{urlencode(asked)}", app.redirect_uri)
    (code,) = parse_qs(urlsplit(landed).query)["code"]
    assert landed == f"{app.redirect_uri}?code={code}"

    token = json.loads(
        curl(
            *("-F", f"client_id={app.client_id}"),
            *("-F", f"client_secret={app.client_secret}"),
            *("-F", "grant_type=authorization_code"),
            *("-F", f"redirect_uri={app.redirect_uri}"),
            *("-F", f"code={code}"),
            f"{server.base}/oauth/access_token",
        )
    )
    assert token.keys() == {"access_token", "user"}
    user = token["user"]
    assert user.keys() == {"id", "username", "full_name", "profile_picture"}
    account.check_told(user)

    me = json.loads(curl(f"{server.base}/v1/users/self/?access_token={token['access_token']}"))
    assert me["meta"] == {"code": 200}
    assert me["data"]["id"] == account.id


def curl(*arguments: str) -> str:
    program = shutil.which("curl")
    assert program, "curl is missing here; ./dev test installs it"
    command = [program, "--silent", "--show-error", "--noproxy", "*", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
