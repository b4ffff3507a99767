"""J9. Logs: a whole story is told, everything any logger writes is caught, and no secret is in it."""

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import structlog

from tests.flows.today import PKCE, check_refused, first_pair, next_pair, refresh
from tests.house import ONE_STORE, PASSWORD, Build, House, fragment, parameters
from valetkey.protocol.profiles.oauth20 import DEVICE_CODE
from valetkey.protocol.rules.pushed_request import URN
from valetkey.web import logs

pytestmark = ONE_STORE
NEW_PASSWORD = "the chronic two thousand and one"


class Caught(logging.Handler):
    """What structlog and the standard library's loggers are told, before anybody could redact it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []
        self.events: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("http"):  # the client's own lines
            self.records.append(record)

    @property
    def text(self) -> str:
        said = [record.getMessage() + repr(record.__dict__) for record in self.records]
        return repr(self.events) + "\n".join(said)


@pytest.fixture
def caught() -> Iterator[Caught]:
    handler = Caught()
    level = logging.root.level
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.DEBUG)
    with structlog.testing.capture_logs() as handler.events:
        yield handler
    logging.root.setLevel(level)
    logging.root.removeHandler(handler)


async def test_J9_no_secret_is_ever_logged(
    house: House, caught: Caught, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets: dict[str, str | None] = {"password": PASSWORD, "new password": NEW_PASSWORD}

    # people and apps, refused logins included
    snoop, app = await house.make_account(), await house.make_app(allow_implicit=True)
    secrets["client secret"] = app.secret
    stranger = house.browser()
    page = await stranger.open("/accounts/login/")
    secrets["csrf of a visitor"] = page.login_form.fields["csrf"]
    page = await stranger.login(page, "snoopdogg", "mistyped password")
    page = await stranger.login(page, "password typed as username", PASSWORD)
    secrets |= {"mistyped": "mistyped password", "as username": "password typed as username"}
    browser = await house.logged_in(snoop)
    secrets["session"] = browser.session

    # both flows, refused and not
    page = await browser.open(house.authorize_url(app, state="state-of-the-app"))
    secrets["ticket"], secrets["csrf"] = page.consent_form.fields["ticket"], page.consent_form.fields["csrf"]
    page = await browser.consent(page, "allow")
    secrets["code"] = parameters(page.left or "")["code"]
    secrets["state"] = "state-of-the-app"
    await browser.consent(page := await browser.open(house.authorize_url(app, scope="likes")), "deny")
    await browser.ask(
        "POST", "/oauth/authorize/consent", data={"csrf": secrets["csrf"], "ticket": secrets["ticket"]}
    )
    await house.exchange(app, secrets["code"] or "", client_secret="a wrong secret")
    secrets["wrong secret"] = "a wrong secret"
    await house.exchange(app, secrets["code"] or "", redirect_uri="x")
    secrets["token"] = (await house.exchange(app, secrets["code"] or "")).json()["access_token"]
    where = await house.allow(browser, app, response_type="token")
    secrets["implicit token"] = fragment(where).partition("=")[2]

    # refreshing: given, given again, used twice
    today = await house.make_app(profile="oauth21", name="Today")
    first = await first_pair(house, browser, today)
    second = await next_pair(house, today, first)
    await next_pair(house, today, first)
    third = await next_pair(house, today, second)
    check_refused(await refresh(house, today, first))
    for number, pair in enumerate((first, second, third)):
        secrets[f"refresh token {number}"] = pair["refresh_token"]
        secrets[f"access token {number}"] = pair["access_token"]

    # the API, used rightly and wrongly
    token = secrets["token"] or ""
    await house.me(token)
    await house.raw("GET", "/v1/users/self", f"access_token={token}&access_token={token}".encode())
    await house.raw("GET", f"/v1/users/{token}", b"access_token=nonsense-token")
    await house.raw("GET", "/v1/users/self", b"", [(b"authorization", f"Bearer {token}x".encode())])
    await house.raw("POST", "/v1/users/self", f"access_token={token}".encode())
    secrets["unknown token"] = "nonsense-token"

    # secrets in every wrong place
    query = urlencode(house.exchange_fields(app, secrets["code"] or "")).encode()
    await house.raw("GET", "/oauth/access_token", query)
    await house.raw("POST", "/oauth/access_token", query)
    await house.raw("POST", "/oauth/token", query, [(b"authorization", b"Basic " + b"c2VjcmV0OnNlY3JldA==")])
    secrets["basic"] = "c2VjcmV0OnNlY3JldA"
    await house.raw("POST", "/accounts/login/", urlencode({"password": PASSWORD}).encode())
    await house.raw("GET", "/accounts/login/", urlencode({"username": "x", "password": PASSWORD}).encode())
    await house.raw("GET", "/nowhere", query, [(b"cookie", f"__Host-valetkey={browser.session}".encode())])
    await house.exchange(app, secrets["code"] or "")

    # the console and the account
    developer = await house.logged_in(house.people["developer"])
    page = await developer.fill(f"/developer/apps/{app.id}/", "/secret/", overlap="0", password=PASSWORD)
    secrets["rotated"] = next(word for word in page.html.split() if "vk_cs_" in word).partition("vk_cs_")[2][
        :40
    ]
    change = "/accounts/password/change/"
    await browser.fill(change, change, current=PASSWORD, new="short")
    await browser.fill(change, change, current=PASSWORD, new=NEW_PASSWORD)
    account = await house.store.account(snoop.account.id)
    secrets["password hash"] = account.password if account else None

    # bugs of ours
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    for name in ("exchange_facts", "bearer_facts", "authorize_facts"):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(type(house.store), name, broken)
            await house.raw("POST", "/oauth/access_token", b"", [], query)
            await house.raw("GET", "/v1/users/self", f"access_token={token}".encode())
            await house.raw("GET", "/oauth/authorize", query)

    out, err = capfd.readouterr()
    everything = caught.text + out + err
    for event in ("token_refused", "api_refused", "authorize_refused", "page_refused", "token_failed"):
        assert event in everything, "the story was heard"
    for name, value in secrets.items():
        assert value, name
        assert value not in everything, name


async def test_J9_nor_is_a_secret_of_today(build: Build, caught: Caught) -> None:
    """What apps that register, push, refresh and wait for a person hold; and what they show in the wrong place."""
    house: House = await build(mcp=True)
    app = await house.registered(
        await house.make_app(profile="oauth21"),
        grant_types=("authorization_code", "refresh_token", DEVICE_CODE),
    )
    secret, http = app.secret or "", house.http()
    made = (await http.post("/oauth/register", json={"redirect_uris": ["https://agent.example/cb"]})).json()
    whole = [secret, made["client_secret"], made["registration_access_token"]]
    bearer = {"authorization": f"Bearer {made['registration_access_token']}"}
    assert (await http.put(made["registration_client_uri"], json={}, headers=bearer)).status_code == 400
    mine = {"client_id": app.id, "client_secret": secret}
    asked = {"response_type": "code", "redirect_uri": app.redirect_uri, **PKCE}
    pushed = (await house.form("/oauth/par", **mine, **asked)).json()["request_uri"]
    waits = (await house.form("/oauth/device_authorization", **mine)).json()
    poll = {"grant_type": DEVICE_CODE, "device_code": waits["device_code"]}
    assert (await house.form("/oauth/token", **mine, **poll)).json()["error"] == "authorization_pending"
    whole += [pushed, waits["device_code"], waits["user_code"]]
    await http.get("/oauth/authorize", params={"client_id": app.id, "request_uri": f"{pushed}x"})
    await http.get("/device", params={"user_code": waits["user_code"]})
    for place in whole[:5]:
        await http.get(f"/oauth/register/{place}")
        await house.form("/oauth/token", client_id=place, grant_type="refresh_token", refresh_token=place)
        await http.get(f"/nowhere/{place}")
    lines = [logs.harmless(None, "", event) for event in caught.events]
    assert len(lines) > 15
    for value in whole:
        assert value.removeprefix(URN)[:30] not in repr(lines), value


async def test_J9_a_log_line_stays_one_line(house: House, caught: Caught) -> None:
    """CVE-2020-7694: what strangers send is logged short, as data, and cannot write lines of its own."""
    evil = "\r\n2027-01-15 [critical] root logged in \x1b[2J"
    await house.raw("GET", "/oauth/authorize", urlencode({"client_id": evil}).encode())
    await house.raw("POST", "/oauth/access_token", b"", [], urlencode({"client_id": evil * 50}).encode())
    await house.raw("GET", "/" + evil)
    assert caught.events, "something was logged"
    for event in caught.events:
        assert isinstance(event["event"], str) and evil not in event["event"]
        assert all(len(str(value)) <= 250 for value in event.values()), event
