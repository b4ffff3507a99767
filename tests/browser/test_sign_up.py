"""Making an account."""

import re

from playwright.async_api import expect

from tests.browser.platform import Person, Platform
from tests.browser.printer import Printer
from tests.browser.visitor import Visitor, both

GOOD = "harbour crane at dawn"


async def fill_in(visitor: Visitor, name: str, password: str) -> None:
    await visitor.fill("Your name", "Łucja 王")
    await visitor.fill("Username", name)
    await visitor.fill("E-mail", "lucja@example.org")
    await visitor.fill("Password", password)


@both
async def test_errors_first_then_an_account(visitor: Visitor, person: Person) -> None:
    await visitor.open("/")
    await visitor.follow("Create an account", "main")
    await fill_in(visitor, "two words", "aaaaaaaaaaaaaaaaaaaa")
    await visitor.press("Create account")

    assert await visitor.focused() == "problems"
    assert (await visitor.page.title()).startswith("Please check: ")
    told = [
        "Username must be 1 to 30 letters of a to z, digits, dots, dashes or underscores.",
        "Password repeats the same few characters or words.",
    ]
    assert await visitor.find("#problems li").all_inner_texts() == told
    await expect(visitor.find("#username")).to_have_accessible_description(re.compile(re.escape(told[0])))
    await expect(visitor.find("#username")).to_have_attribute("aria-invalid", "true")
    await expect(visitor.find("#full_name")).to_have_value("Łucja 王")
    await expect(visitor.find("#password")).to_have_value("")

    await visitor.find("#problems").get_by_text(told[0]).click()
    assert await visitor.focused() == "username", "a problem leads to its field"
    await fill_in(visitor, person.username, GOOD)
    await visitor.press("Create account")
    assert await visitor.find("#problems li").all_inner_texts() == ["Username is taken."]
    await fill_in(visitor, f"n{person.username}", GOOD)
    await visitor.press("Create account")
    assert await visitor.heading() == "Hello, Łucja 王"


async def test_the_browser_itself_asks_for_what_is_missing(visitor: Visitor) -> None:
    await visitor.open("/accounts/signup/")
    await visitor.find("main").get_by_role("button", name="Create account").click()
    assert await visitor.focused() == "full_name", "nothing is sent; the first empty field is pointed at"
    assert await visitor.find("input:invalid").count() == 4
    assert await visitor.find("#password").get_attribute("minlength") == "15"


@both
async def test_an_account_made_on_the_way_to_an_app(
    visitor: Visitor, platform: Platform, printer: Printer
) -> None:
    app = await platform.app(printer.back)
    await visitor.open(app.asks(state="way"))
    await visitor.follow("Create an account")
    await fill_in(visitor, f"w{app.id[:12]}", GOOD)
    await visitor.press("Create account")
    assert await visitor.heading() == f"Allow {app.name} to use your account?"
    await visitor.press("Allow")
    assert re.fullmatch(re.escape(printer.back) + r"\?code=[0-9a-f]{32}&state=way", visitor.page.url)
