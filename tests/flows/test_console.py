"""What developers do: register an app, edit it, rotate its secret, invite testers, delete it. And only their own."""

import re

import pytest

from tests.flows.browser import Browser, Page
from tests.flows.test_classic import TABLE
from tests.house import PASSWORD, App, Build, House, Person, parameters
from valetkey.settings import AppSettings

SECRET = re.compile(r"vk_cs_[A-Za-z0-9_-]{43}[A-Za-z0-9]{6}")
REGISTER = "/developer/register/"


@pytest.fixture
async def developer(house: House) -> Person:
    return await house.make_account("developer", "Dee Veloper")


@pytest.fixture
async def browser(house: House, developer: Person) -> Browser:
    return await house.logged_in(developer)


@pytest.fixture
async def app(house: House, developer: Person) -> App:
    return await house.make_app(owner=developer)


async def register(browser: Browser, **answers: str | None) -> Page:
    said = {"name": "Photo Printer", "type": "web", "redirect_uris": "https://app.example/callback"}
    return await browser.fill(REGISTER, REGISTER, **(said | {"sandbox": None} | answers))


async def works(house: House, app: App, person: Browser, secret: str) -> bool:
    """Whether a token can be had with this secret."""
    answer = await house.exchange(app, await house.code(person, app), client_secret=secret)
    assert answer.status_code == 200 or answer.json()["error_message"] == "Invalid Client Secret"
    return answer.status_code == 200


async def test_registering_an_app(house: House, developer: Person, browser: Browser) -> None:
    page = await browser.open("/developer/")
    assert "Register your first app" in page.text
    page = await register(
        browser,
        profile="classic",
        redirect_uris="https://app.example/callback\r\nhttp://two.example/?a=b\r\n\r\n",
    )
    (secret,) = set(SECRET.findall(page.html))
    (client,) = await house.store.clients_of(developer.account.id)
    assert client.redirect_uris == ("https://app.example/callback", "http://two.example/?a=b")
    assert client.profile == "classic" and not client.allow_implicit and not client.sandbox
    assert client.id in page.text
    for path in ("/developer/", f"/developer/apps/{client.id}/"):
        page = await browser.open(path)
        assert "Photo Printer" in page.text
        assert not SECRET.search(page.html), "the secret was shown once"
    assert "client_secret=CLIENT-SECRET" in page.html and f"client_id={client.id}" in page.html
    snoop = await house.logged_in(await house.make_account())
    assert await works(house, App(client, secret), snoop, secret)


async def test_a_new_app_is_in_development_unless_it_is_said_otherwise(
    house: House, developer: Person, browser: Browser
) -> None:
    form = (await browser.open(REGISTER)).form(REGISTER)
    assert form.fields["sandbox"] == "yes" and form.fields["type"] == "web"
    await register(browser, sandbox="yes")
    (client,) = await house.store.clients_of(developer.account.id)
    assert client.sandbox and client.profile == form.fields["profile"] == "oauth21"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "Name is empty"),
        ({"name": "n" * 65}, "Name is longer than 64 characters"),
        ({"name": "Photo\u202erotcart"}, "Name has invisible or control characters"),
        ({"redirect_uris": ""}, "Redirect URIs are missing"),
        ({"redirect_uris": "javascript:alert(1)"}, "Redirect URIs cannot have"),
        ({"redirect_uris": "https://app.example/#x"}, "a fragment"),
        ({"redirect_uris": "https://*.example/"}, "a wildcard"),
        ({"redirect_uris": "myapp://callback"}, "must start with https://"),
        ({"profile": "oauth21", "redirect_uris": "http://app.example/"}, "must start with https://"),
        ({"profile": "nonsense"}, "Profile must be one of"),
        ({"type": "nonsense"}, "Type must be one of"),
        ({"website": "javascript:alert(1)"}, "Website must start with"),
        ({"description": "d" * 501}, "Description is longer than 500 characters"),
    ],
)
async def test_registering_with_something_wrong(
    house: House, developer: Person, browser: Browser, change: dict[str, str], says: str
) -> None:
    page = await register(browser, **change)
    assert page.status == 400 and says in page.text
    assert not SECRET.search(page.html)
    assert await house.store.clients_of(developer.account.id) == []


async def test_who_may_register_and_how_many(build: Build) -> None:
    house = await build(apps=AppSettings(register=False))
    browser = await house.logged_in(await house.make_account("developer"))
    assert (await browser.open(REGISTER)).status == 403
    fields = {
        "csrf": await browser.csrf(),
        "name": "x",
        "type": "web",
        "profile": "classic",
        "redirect_uris": "https://a.example/",
    }
    assert (await browser.ask("POST", REGISTER, data=fields)).status_code == 403
    other = await build(apps=AppSettings(most_per_owner=1))
    browser = await other.logged_in(house.people["developer"])
    assert (await register(browser)).status == 200
    page = await register(browser, name="Second")
    assert page.status == 400 and "one app too many" in page.text


async def test_editing_an_app(house: House, app: App, browser: Browser) -> None:
    path = f"/developer/apps/{app.id}/"
    page = await browser.fill(path, "/settings/", name="Printer 2", redirect_uris="https://new.example/cb")
    assert "Saved." in page.text and "Printer 2" in page.text
    snoop = await house.logged_in(await house.make_account())
    page = await snoop.open(house.authorize_url(app))
    assert page.status == 400 and page.left is None, "the old redirect_uri is unknown now"
    page = await snoop.open(house.authorize_url(app, redirect_uri="https://new.example/cb"))
    assert page.asks_consent and "Printer 2" in page.text
    page = await browser.fill(path, "/settings/", redirect_uris="https://new.example/#")
    assert page.status == 400
    client = await house.store.client(app.id)
    assert client is not None and client.redirect_uris == ("https://new.example/cb",)
    assert client.type == "web" and client.secrets == app.client.secrets


async def rotate(browser: Browser, app: App, overlap: str, password: str = PASSWORD) -> str:
    """The new secret; it is on this answer only."""
    page = await browser.fill(f"/developer/apps/{app.id}/", "/secret/", overlap=overlap, password=password)
    found = set(SECRET.findall(page.html))
    assert len(found) == 1, page.text
    assert not SECRET.search((await browser.open(f"/developer/apps/{app.id}/")).html)
    return found.pop()


async def test_rotating_a_secret(house: House, app: App, browser: Browser) -> None:
    """The old one works in the overlap and not after it."""
    snoop = await house.logged_in(await house.make_account())
    old, new = app.secret or "", await rotate(browser, app, "3600")
    assert old != new
    assert await works(house, app, snoop, old) and await works(house, app, snoop, new)
    house.clock.forward(3599)
    assert await works(house, app, snoop, old)
    house.clock.forward(1)
    assert not await works(house, app, snoop, old)
    assert await works(house, app, snoop, new)
    token = await house.exchange(app, await house.code(snoop, app), client_secret=new)
    newest = await rotate(browser, app, "0")
    assert not await works(house, app, snoop, new), "at once"
    assert await works(house, app, snoop, newest)
    assert await house.lives(token.json()["access_token"]), "a new secret ends no tokens"


async def test_at_most_three_secrets_live(house: House, app: App, browser: Browser) -> None:
    snoop = await house.logged_in(await house.make_account())
    secrets = [app.secret or ""] + [await rotate(browser, app, "86400") for _ in range(3)]
    assert [await works(house, app, snoop, secret) for secret in secrets] == [False, True, True, True]


async def test_a_secret_is_rotated_with_the_password(house: House, app: App, browser: Browser) -> None:
    snoop = await house.logged_in(await house.make_account())
    path = f"/developer/apps/{app.id}/"
    for answers, says in (
        ({"overlap": "0", "password": "wrong"}, "That is not your password"),
        ({"overlap": "0", "password": None}, "That is not your password"),
        ({"overlap": "1", "password": PASSWORD}, "Choose when the present secret"),
        ({"overlap": "-1", "password": PASSWORD}, "Choose when the present secret"),
        ({"overlap": None, "password": PASSWORD}, "Choose when the present secret"),
    ):
        page = await browser.fill(path, "/secret/", **answers)
        assert page.status == 400 and says in page.text and not SECRET.search(page.html)
    assert await works(house, app, snoop, app.secret or "")


async def test_deleting_an_app(house: House, app: App, browser: Browser) -> None:
    """Every token stops at once; name and password are asked for."""
    snoop = await house.logged_in(await house.make_account())
    token, code = await house.token(snoop, app), await house.code(snoop, app)
    path = f"/developer/apps/{app.id}/"
    for answers in ({"confirm": "photo printer", "password": PASSWORD}, {"confirm": "Photo Printer"}):
        page = await browser.fill(path, "/delete/", **answers)
        assert page.status == 400 and await house.lives(token)
    page = await browser.fill(path, "/delete/", confirm="Photo Printer", password=PASSWORD)
    assert "The app was deleted" in page.text
    assert not await house.lives(token)
    assert (await house.exchange(app, code)).json()["error_message"] == "Invalid Client ID"
    assert (await snoop.open(house.authorize_url(app))).status == 400
    assert (await browser.open(path)).status == 404
    assert "No app can use your account" in (await snoop.open("/accounts/manage_access/")).text


async def test_testers(house: House, developer: Person, browser: Browser) -> None:
    app = await house.make_app(owner=developer, sandbox=True)
    path = f"/developer/apps/{app.id}/"
    page = await browser.fill(path, "/testers/", username="nobody")
    assert page.status == 400 and "is not the username of anybody here" in page.text
    await house.make_account()
    page = await browser.fill(path, "/testers/", username=" SNOOPDOGG ")
    assert "Invited." in page.text and "snoopdogg" in page.text
    await browser.fill(path, "/testers/", username="snoopdogg")
    client = await house.store.client(app.id)
    assert client is not None and len(client.testers) == 1, "once is enough"


async def test_the_redirect_checker_says_what_the_endpoint_does(
    house: House, developer: Person, browser: Browser
) -> None:
    for number, (registered, passed, valid) in enumerate(TABLE):
        app = await house.make_app(registered, owner=developer, name=f"Row {number}")
        page = await browser.open(f"/developer/apps/{app.id}/")
        page = await browser.submit(page, next(f for f in page.forms if f.method == "GET"), {"check": passed})
        verdict = "Accepted" if valid == "yes" else "Refused"
        assert f"{verdict} {registered}" in page.text, (registered, passed)


async def test_an_app_of_somebody_else_is_not_there(house: House, app: App) -> None:
    """The same 404 as for one that does not exist, whatever is asked."""
    stranger = await house.logged_in(await house.make_account("stranger"))
    fields = {
        "csrf": await stranger.csrf(),
        "name": "Mine now",
        "redirect_uris": "https://evil.example/",
        "profile": "classic",
        "overlap": "0",
        "password": PASSWORD,
        "confirm": "Photo Printer",
        "username": "stranger",
        "tester": "1",
    }
    for path in ("", "settings/", "secret/", "testers/", "testers/remove/", "delete/"):
        said = []
        for client_id in (app.id, "f" * 32, app.id.upper(), app.id[:-1]):
            method = "POST" if path else "GET"
            answer = await stranger.ask(method, f"/developer/apps/{client_id}/{path}", data=fields)
            assert answer.status_code == 404
            said.append(re.sub(r"[0-9a-f]{10}", "", answer.text))
        assert len(set(said)) == 1
    assert await house.store.client(app.id) == app.client
    assert "Photo Printer" not in (await stranger.open("/developer/")).text


async def test_a_changed_profile_is_lived_under_at_once(house: House, app: App, browser: Browser) -> None:
    snoop = await house.logged_in(await house.make_account())
    code = await house.code(snoop, app)
    path = f"/developer/apps/{app.id}/"
    page = await browser.fill(path, "/settings/", profile="oauth21", disable_implicit="yes")
    assert "Saved." in page.text
    assert (await house.exchange(app, code)).json()["error_message"] == "Invalid Client ID"
    page = await snoop.open(house.authorize_url(app))
    assert parameters(page.left or "")["error"] == "invalid_request", "PKCE is needed now"
