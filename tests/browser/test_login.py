"""Logging in and out."""

from playwright.async_api import BrowserContext, expect

from tests.browser.platform import Person, Platform
from tests.browser.printer import Printer
from tests.browser.visitor import Visitor, both, everywhere
from valetkey.server import login


@everywhere
async def test_a_wrong_password_then_the_right_one(visitor: Visitor, person: Person) -> None:
    await visitor.open("/accounts/sessions/")
    assert visitor.path == "/accounts/login/"
    await visitor.log_in(person.username, "not my password")

    assert visitor.path == "/accounts/login/"
    assert "do not belong together" in await visitor.find("[role=alert]").inner_text()
    assert await visitor.focused() == "problems", "a reader of the screen hears first what is wrong"
    await expect(visitor.find("#username")).to_have_value(person.username)
    await expect(visitor.find("#password")).to_have_value("")

    await visitor.fill("Password", person.password)
    await visitor.press("Log in", "main")
    assert visitor.path == "/accounts/sessions/", "where they wanted to go"
    assert person.username not in visitor.page.url
    cookies = {cookie["name"]: cookie for cookie in await visitor.page.context.cookies()}
    assert cookies["valetkey"]["httpOnly"] and cookies["valetkey"]["sameSite"] == "Lax"


async def test_a_wrong_password_on_the_way_to_an_app(
    visitor: Visitor, platform: Platform, printer: Printer, person: Person
) -> None:
    app = await platform.app(printer.back)
    await visitor.open(app.asks(state="kept"))
    await visitor.log_in(person.username, "not my password")
    assert f"to go on to {app.name}" in await visitor.words(), "they still know where they are going"
    await visitor.log_in(person.username, person.password)
    assert await visitor.heading() == f"Allow {app.name} to use your account?"
    await visitor.press("Deny")
    assert visitor.page.url.endswith("&state=kept")


async def test_after_the_login_nobody_is_led_astray(visitor: Visitor, person: Person) -> None:
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"):
        await visitor.open(f"/accounts/login/?next={elsewhere}")
        await visitor.log_in(person.username, person.password)
        assert visitor.page.url == f"{visitor.base}/"


async def test_who_tries_too_often_is_told_how_long_to_wait(
    visitor: Visitor, platform: Platform, person: Person
) -> None:
    for _ in range(platform.server.settings.login.attempts_per_account):
        await login.count_attempt(platform.server, person.username, "192.0.2.7")
    await visitor.open("/accounts/login/")
    await visitor.log_in(person.username, person.password)
    assert "Please wait 5 minutes" in await visitor.find("[role=alert]").inner_text()


async def test_the_password_can_be_looked_at(visitor: Visitor) -> None:
    await visitor.open("/accounts/login/")
    await visitor.fill("Password", "correct horse")
    password, reveal = visitor.find("#password"), visitor.find(".secret button")
    await expect(password).to_have_attribute("type", "password")
    await expect(reveal).to_have_accessible_name("Show: Password")
    await reveal.click()
    await expect(password).to_have_attribute("type", "text")
    await expect(password).to_have_value("correct horse")
    await expect(reveal).to_have_accessible_name("Hide: Password")
    await reveal.click()
    await expect(password).to_have_attribute("type", "password")


async def test_caps_lock_is_pointed_out(visitor: Visitor) -> None:
    await visitor.open("/accounts/login/")
    press = "(box, on) => box.dispatchEvent(new KeyboardEvent('keyup', {key: 'A', modifierCapsLock: on}))"
    password, hint = visitor.find("#password"), visitor.find(".field [role=status]")
    await password.evaluate(press, True)
    await expect(hint).to_have_text("Caps Lock is on.")
    await password.evaluate(press, False)
    await expect(hint).to_be_empty()


@both
async def test_logging_out_ends_the_session_on_the_server(
    member: Visitor, context: BrowserContext, person: Person
) -> None:
    await member.open("/")
    assert "Zoë Ångström" in await member.heading()
    cookies = [cookie for cookie in await context.cookies() if cookie["name"] == "valetkey"]
    await member.press("Log out")
    assert await member.heading() == "You are logged out"
    assert "valetkey" not in {cookie["name"] for cookie in await context.cookies()}

    await context.add_cookies(cookies)
    await member.open("/accounts/edit/")
    assert member.path == "/accounts/login/", "whoever kept the cookie is out too"


async def test_one_tab_logs_out_and_the_other_must_log_in_again(
    member: Visitor, context: BrowserContext
) -> None:
    other = Visitor(await context.new_page(), member.base)
    await other.open("/accounts/edit/")
    await member.open("/")
    await member.press("Log out")
    await other.fill("Name", "Somebody else")
    await other.press("Save")
    assert await other.heading() == "Log in"
