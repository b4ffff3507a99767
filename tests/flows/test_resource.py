"""Resource indicators from both ends: a token is for the servers that were named, and for no other (RFC 8707; C14)."""

from typing import Any
from urllib.parse import urlencode

import httpx2

from tests.flows.browser import Browser
from tests.flows.questions import told
from tests.flows.today import PKCE, VERIFIER, address, check_refused
from tests.house import ONE_STORE, SITE, App, Build, House, Person, parameters
from valetkey.protocol.resource import Resource

PRINTS, ALBUMS = "https://prints.example/api", "https://albums.example/"


async def post(house: House, path: str, fields: dict[str, Any], *resources: str) -> httpx2.Response:
    """A form in which `resource` stands several times."""
    pairs = [*fields.items(), *(("resource", each) for each in resources)]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return await house.http().post(path, content=urlencode(pairs), headers=headers)


def url(house: House, app: App, *resources: str) -> str:
    return house.authorize_url(app, **PKCE) + "".join(
        "&" + urlencode({"resource": each}) for each in resources
    )


async def code(house: House, browser: Browser, app: App, *resources: str) -> dict[str, Any]:
    """The fields that redeem a code for these servers."""
    page = await browser.open(url(house, app, *resources))
    if page.left is None:
        page = await browser.consent(page, "allow")
    found = parameters(page.left or "")["code"]
    return house.exchange_fields(app, found, redirect_uri=None, code_verifier=VERIFIER)


async def audience(house: House, app: App, token: str) -> Any:
    """Who a token is for, as its app is told."""
    return (await told(house, app, token))["aud"]


async def test_a_token_for_the_servers_that_were_named(house: House, app: App, browser: Browser) -> None:
    fields = await code(house, browser, app, PRINTS, ALBUMS)
    body = (await post(house, "/oauth/token", fields)).json()
    assert await audience(house, app, body["access_token"]) == [PRINTS, ALBUMS]
    assert not await house.lives(body["access_token"]), "our own API is none of them"

    renews = {"client_id": app.id, "client_secret": app.secret, "grant_type": "refresh_token"}
    renews["refresh_token"] = body["refresh_token"]
    answer = await post(house, "/oauth/token", renews, "https://other.example/")
    check_refused(answer, "invalid_target")
    body = (await post(house, "/oauth/token", renews, ALBUMS)).json()
    assert await audience(house, app, body["access_token"]) == ALBUMS
    renews["refresh_token"] = body["refresh_token"]
    body = (await post(house, "/oauth/token", renews)).json()
    assert await audience(house, app, body["access_token"]) == [PRINTS, ALBUMS], "never less for good"


async def test_a_token_for_one_of_them(house: House, app: App, browser: Browser) -> None:
    fields = await code(house, browser, app, PRINTS, ALBUMS, SITE)
    check_refused(await post(house, "/oauth/token", fields, "https://other.example/"), "invalid_target")
    answer = await post(house, "/oauth/token", fields, SITE)
    assert answer.status_code == 200, "what was refused used nothing up"
    assert await audience(house, app, answer.json()["access_token"]) == SITE
    assert await house.lives(answer.json()["access_token"])


async def test_people_are_asked_about_each_server(
    house: House, app: App, browser: Browser, snoop: Person
) -> None:
    """C14: what was allowed at one server is not allowed at the next."""
    page = await browser.open(url(house, app, PRINTS, SITE))
    assert "It will reach this server prints.example" in page.text and "id.example" not in page.text
    await browser.consent(page, "allow")
    again = await house.logged_in(snoop)
    for known in ((PRINTS,), (SITE, PRINTS), ()):
        assert (await again.open(url(house, app, *known))).left, "no question is put twice"
    silently = await browser.open(url(house, app, ALBUMS) + "&prompt=none")
    assert parameters(silently.left or "")["error"] == "consent_required"
    page = await browser.open(url(house, app, PRINTS, ALBUMS))
    assert "It will reach these servers prints.example albums.example" in page.text
    assert "to use your account?" in page.text and "What is new" not in page.text
    await browser.consent(page, "deny")
    assert (await browser.open(url(house, app, ALBUMS))).asks_consent
    await browser.consent(await browser.open(url(house, app, ALBUMS)), "allow")
    assert (await browser.open(url(house, app, ALBUMS, PRINTS) + "&prompt=none")).left
    assert "At prints.example , albums.example" in (await browser.open("/accounts/manage_access/")).text


async def test_what_was_allowed_at_one_server_was_not_allowed_at_another(
    house: House, app: App, browser: Browser
) -> None:
    """C14, H8: an app that may see the likes at one and the name at the other may not see the likes there."""
    for scope, server in (("basic likes", PRINTS), ("basic", ALBUMS)):
        page = await browser.open(url(house, app, server) + "&" + urlencode({"scope": scope}))
        assert page.asks_consent
        await browser.consent(page, "allow")
        assert (await browser.open(url(house, app, server) + "&" + urlencode({"scope": scope}))).left
    more = url(house, app, ALBUMS) + "&scope=basic+likes"
    assert (await browser.open(more)).asks_consent
    assert parameters((await browser.open(more + "&prompt=none")).left or "")["error"] == "consent_required"
    await browser.consent(await browser.open(more), "allow")
    assert (await browser.open(more)).left


async def test_who_named_no_server_names_none_later(house: House, app: App, browser: Browser) -> None:
    """C14: the person was asked about none, so the token endpoint knows of none either."""
    fields = await code(house, browser, app)
    check_refused(await post(house, "/oauth/token", fields, PRINTS), "invalid_target")
    check_refused(await post(house, "/oauth/token", fields, SITE, PRINTS), "invalid_target")
    body = (await post(house, "/oauth/token", fields, SITE)).json()
    assert await audience(house, app, body["access_token"]) == SITE
    renews = {"client_id": app.id, "client_secret": app.secret, "grant_type": "refresh_token"}
    renews["refresh_token"] = body["refresh_token"]
    check_refused(await post(house, "/oauth/token", renews, PRINTS), "invalid_target")


async def test_nobody_named_is_our_own(house: House, app: App, browser: Browser) -> None:
    fields = await code(house, browser, app)
    token = (await post(house, "/oauth/token", fields)).json()["access_token"]
    assert await audience(house, app, token) == SITE and await house.lives(token)


async def test_pushed(house: House, app: App, browser: Browser) -> None:
    asked = {"client_id": app.id, "client_secret": app.secret, "redirect_uri": app.redirect_uri}
    asked |= {"response_type": "code"} | PKCE
    check_refused(await post(house, "/oauth/par", asked, PRINTS, "nonsense"), "invalid_target")
    answer = await post(house, "/oauth/par", asked, PRINTS, ALBUMS)
    assert answer.status_code == 201
    page = await browser.consent(await browser.open(address(app, answer.json()["request_uri"])), "allow")
    found = parameters(page.left or "")["code"]
    fields = house.exchange_fields(app, found, redirect_uri=None, code_verifier=VERIFIER)
    token = (await post(house, "/oauth/token", fields)).json()["access_token"]
    assert await audience(house, app, token) == [PRINTS, ALBUMS]


async def test_what_cannot_be_named(house: House, app: App, browser: Browser) -> None:
    for wrong in ("http://prints.example/", "prints", PRINTS + "#x"):
        page = await browser.open(url(house, app, wrong))
        assert parameters(page.left or "")["error"] == "invalid_target"
    classic = await house.make_app(name="Classic")
    page = await browser.open(house.authorize_url(classic) + "&resource=a&resource=b")
    assert page.status == 400 and page.left is None
    page = await browser.open(house.authorize_url(classic) + "&resource=a")
    assert page.asks_consent, "a word like any other"
    answer = await post(house, "/oauth/access_token", house.exchange_fields(classic, "x"), "a", "b")
    assert answer.json()["error_message"] == "the parameter resource is there twice"


@ONE_STORE
async def test_only_those_that_the_operator_named(build: Build) -> None:
    house: House = await build(resources=(Resource(PRINTS, "Prints", "jwt"),))
    browser = await house.logged_in(await house.make_account())
    app = await house.make_app(profile="oauth21")
    page = await browser.open(url(house, app, ALBUMS))
    assert parameters(page.left or "")["error"] == "invalid_target"
    assert "Prints , prints.example" in (await browser.open(url(house, app, PRINTS))).text
    token = (await post(house, "/oauth/token", await code(house, browser, app, PRINTS))).json()[
        "access_token"
    ]
    assert token.count(".") == 2, "in the form that this server reads"
    assert await audience(house, app, token) == PRINTS
    assert not await house.lives(token)
