"""C21. Devices: codes that are guessed, people who are talked into typing one, answers that nobody gave."""

from typing import Any

import pytest

from tests.flows.browser import Browser, Page
from tests.flows.devices import MAY, connect, poll, start, told
from tests.house import ONE_STORE, App, Build, House, Person
from valetkey.settings import LoginSettings

WRONG = "BCDF-GHJK"


async def type_in(browser: Browser, code: str) -> Page:
    return await browser.fill("/device", "/device", user_code=code)


async def test_C21_one_person_cannot_try_them_all(house: House, box: App, snoop: Person) -> None:
    """RFC 8628 5.1. Ten in five minutes, in however many browsers, and the right one is then refused like the rest."""
    said, other = await start(house, box), await house.another_worker()
    browsers = [await each.logged_in(snoop, f"192.0.2.{n}") for n, each in enumerate((house, other), 10)]
    for n in range(10):
        page = await type_in(browsers[n % 2], WRONG)
        assert (page.status, "No device shows this code" in page.text) == (400, True)
    for browser in browsers:
        page = await type_in(browser, said["user_code"])
        assert page.status == 429 and "Please wait 5 minutes" in page.text and not page.asks_consent
        assert page.response.headers["retry-after"] == "300"
    house.clock.forward(301)
    assert (await type_in(browsers[0], said["user_code"])).asks_consent


@ONE_STORE
async def test_C21_nor_can_many_people_of_one_network(build: Build) -> None:
    house: House = await build(login=LoginSettings(attempts_per_network=3))
    people = [await house.make_account(f"p{n}") for n in range(2)]
    browsers = [await house.logged_in(person) for person in people]
    assert [(await type_in(browsers[n % 2], WRONG)).status for n in range(5)] == [400, 400, 400, 429, 429]


async def test_C21_an_address_with_the_code_allows_nothing(house: House, box: App, browser: Browser) -> None:
    """RFC 8628 3.3.1, 5.4: whoever follows a link has not said yes, nor whoever is made to load a picture."""
    said = await start(house, box)
    for path in (
        f"/device?user_code={said['user_code']}",
        f"/device?user_code={said['user_code']}&decision=allow",
        f"/device/?user_code={said['user_code']}",
    ):
        page = await browser.open(path)
        assert page.status == 200 and not page.asks_consent
    for method in ("GET", "HEAD", "OPTIONS", "PUT"):  # H4
        answer = await browser.ask(method, "/device/consent", params={"decision": "allow"})
        assert answer.status_code == 405
    assert await told(house, box, said) == "authorization_pending"


async def test_C21_the_page_names_the_flow_and_shows_the_code(
    house: House, box: App, browser: Browser
) -> None:
    page = await type_in(browser, (said := await start(house, box))["user_code"])
    for words in (
        "You are allowing",
        "a device",
        "If somebody sent you the code, press Deny.",
        said["user_code"],
    ):
        assert words in page.text
    assert page.response.headers["x-frame-options"] == "DENY"  # A22
    assert page.consent_form.hidden == {"csrf", "ticket"}  # R12


async def test_C21_a_remembered_yes_is_not_enough(house: House, box: App, browser: Browser) -> None:
    for _ in range(2):
        said = await start(house, box)
        assert (await type_in(browser, said["user_code"])).asks_consent
        assert await told(house, box, said) == "authorization_pending"
        await connect(browser, said, "allow")
        assert (await poll(house, box, said)).status_code == 200


async def test_C21_an_app_in_development_is_not_for_strangers(house: House, browser: Browser) -> None:
    box = await house.make_app(type="native", profile="oauth21", registered=MAY, sandbox=True)
    page = await type_in(browser, (await start(house, box))["user_code"])
    assert page.status == 400 and "still being built" in page.text


@ONE_STORE
async def test_H3_a_ticket_of_another_session_or_of_another_kind(
    house: House, box: App, snoop: Person, browser: Browser
) -> None:
    """CVE-2026-4282: one table of one-time things must not let one kind pass for another."""
    said, app = await start(house, box), await house.make_app()
    attacker = await house.logged_in(await house.make_account("dre"))
    theirs = (await type_in(attacker, said["user_code"])).consent_form.fields
    login = (await browser.open(house.authorize_url(app, user_code=said["user_code"]))).consent_form.fields
    ours = (await type_in(browser, said["user_code"])).consent_form.fields

    async def answer(path: str, ticket: str) -> Any:
        fields = {"csrf": ours["csrf"], "ticket": ticket, "decision": "allow"}
        return await browser.ask("POST", path, data=fields)

    for path, ticket in (
        ("/device/consent", theirs["ticket"]),
        ("/device/consent", login["ticket"]),
        ("/device/consent", "x" * 43),
        ("/device/consent", ""),
        ("/oauth/authorize/consent", ours["ticket"]),
    ):
        refused = await answer(path, ticket)
        assert refused.status_code == 400 and "location" not in refused.headers
    assert await told(house, box, said) == "authorization_pending"
    assert await house.store.connected_apps(snoop.account.id) == []
    assert "is connected" in (await answer("/device/consent", ours["ticket"])).text
    again = await answer("/device/consent", ours["ticket"])
    assert again.status_code == 400, "once"


@ONE_STORE
@pytest.mark.parametrize("decision", [None, "", "Allow", "yes", "allow,deny"])
async def test_H5_what_the_form_did_not_say_is_not_read_into_it(
    house: House, box: App, browser: Browser, decision: str | None
) -> None:
    said = await start(house, box, scope="basic")
    fields = (await type_in(browser, said["user_code"])).consent_form.fields
    fields |= {"user_code": WRONG, "scope": "basic likes", "client_id": "other"}
    sent = fields if decision is None else fields | {"decision": decision}
    assert (await browser.ask("POST", "/device/consent", data=sent)).status_code == 400
    allowed = await browser.ask("POST", "/device/consent", data=fields | {"decision": "allow"})
    assert allowed.status_code == 200
    assert (await poll(house, box, said)).json()["scope"] == "basic"


@ONE_STORE
@pytest.mark.parametrize(
    "typed",
    [
        "",
        "'; DROP TABLE device_requests--",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "\r\nSet-Cookie: a=b",
        "É" * 8,
        "𝐖" * 8,
    ],
)
async def test_F5_F6_whatever_is_typed_is_only_text(house: House, browser: Browser, typed: str) -> None:
    page = await type_in(browser, typed)
    assert page.status == 400 and "<script>alert" not in page.html and "49" not in page.text


@ONE_STORE
async def test_J9_codes_are_not_logged(
    house: House, box: App, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    said = await start(house, box)
    await told(house, box, said)
    await type_in(browser, WRONG)
    await connect(browser, said, "allow")
    await poll(house, box, said)
    logged = "".join(capsys.readouterr())
    assert "authorization_pending" in logged and "user_code_unknown" in logged
    for secret in (said["device_code"], said["user_code"], said["user_code"].replace("-", ""), WRONG):
        assert secret not in logged
