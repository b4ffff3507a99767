"""The account: connected apps, profile and picture, password, sessions."""

import hashlib
import re
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.pictures import png
from tests.browser.platform import Person, Platform
from tests.browser.printer import Printer, code_in
from tests.browser.visitor import Visitor, both


@both
async def test_taking_a_key_back(
    member: Visitor, platform: Platform, printer: Printer, person: Person
) -> None:
    """H9: what the app holds is dead at once, and it has to ask again."""
    app = await platform.app(printer.back, name="Photo Prints", website="https://prints.example/about")
    other = await platform.app(printer.back, name="Calendar")
    tokens = []
    for one in (app, other):
        await member.open(one.asks(scope="basic likes"))
        await member.press("Allow")
        answer = await platform.exchange(one, code_in(member.page.url))
        tokens.append(answer.json()["access_token"])
        assert (await platform.whose(tokens[-1])).status_code == 200

    await member.open("/")
    await member.follow("Connected apps", "main")
    words = await member.page.get_by_role("region", name="Photo Prints by Photo Prints Ltd").inner_text()
    for told in ("by Photo Prints Ltd", "prints.example", "Like and unlike things in your name Sensitive"):
        assert told in words
    assert re.search(r"Allowed \d+ [A-Z][a-z]+ 20\d\d", words)
    await member.press("Remove Photo Prints")

    assert "The app was removed." in await member.find("[role=status]").first.inner_text()
    assert await member.find("section.panel h2").all_inner_texts() == ["Calendar"]
    assert [(await platform.whose(token)).status_code for token in tokens] == [400, 200]
    await member.open(app.asks())
    assert await member.heading() == "Allow Photo Prints to use your account?"


@both
async def test_the_profile(member: Visitor, platform: Platform, person: Person) -> None:
    await member.open("/accounts/edit/")
    await member.fill("Name", "Zoë <b>Ångström</b> & Co")
    await member.fill("Bio (optional)", "I take pictures.\nMostly of harbours.")
    await member.fill("Website (optional)", "https://zoe.example/'x'")
    await member.press("Save")
    assert "must start with https://" in await member.find("#problems").inner_text()
    await expect(member.find("#bio")).to_have_value("I take pictures.\nMostly of harbours.")

    await member.fill("Website (optional)", "https://zoe.example/")
    await member.press("Save")
    await expect(member.find("[role=status]").first).to_have_text("Saved.")
    await member.open("/")
    assert await member.heading() == "Hello, Zoë <b>Ångström</b> & Co", "words, not markup"
    account = await platform.server.store.account(person.account.id)
    assert account and account.bio == "I take pictures.\nMostly of harbours."


@both
async def test_a_picture(member: Visitor, platform: Platform, person: Person) -> None:
    """What is shown afterwards is a square JPEG of ours, not the bytes that were sent."""
    await member.open("/accounts/edit/")
    sent = png(side=600)
    for name, kind, content in (("me.svg", "image/svg+xml", b"<svg/>"), ("me.png", "image/png", sent)):
        await member.find("#picture").set_input_files({"name": name, "mimeType": kind, "buffer": content})
        await member.press("Upload")
        if name == "me.svg":
            assert "The file is not a JPEG, PNG, WebP or GIF picture." in await member.words()
    await expect(member.find("[role=status]").first).to_have_text("Your picture was changed.")
    shown = member.find("img.face")
    assert await shown.evaluate("i => i.decode().then(() => [i.naturalWidth, i.naturalHeight])") == [320, 320]
    got = await member.page.request.get(await shown.evaluate("image => image.src"))
    assert got.headers["content-type"] == "image/jpeg"
    assert hashlib.sha256(await got.body()).hexdigest().startswith(urlsplit(got.url).path[10:-4])

    await member.press("Remove the picture")
    await expect(member.find("img.face")).to_have_count(0)


@both
async def test_the_email_is_changed_by_whoever_knows_the_password(
    member: Visitor, platform: Platform, person: Person
) -> None:
    await member.open("/accounts/edit/")
    await member.fill("E-mail address", "new@example.org")
    await member.fill("Your password", "not my password")
    await member.press("Change e-mail")
    assert "That is not your password." in await member.find("#problems").inner_text()
    await member.fill("E-mail address", "new@example.org")
    await member.fill("Your password", person.password)
    await member.press("Change e-mail")
    await expect(member.find("#email")).to_have_value("new@example.org")
    account = await platform.server.store.account(person.account.id)
    assert account and account.email == "new@example.org"


@both
async def test_a_new_password(member: Visitor, chromium: Browser, platform: Platform, person: Person) -> None:
    """Every other browser is logged out; the old password opens nothing any more."""
    elsewhere = await platform.session(person)
    await member.open("/.well-known/change-password")
    assert member.path == "/accounts/password/change/", "where password managers look for it"
    await member.fill("Current password", person.password)
    await member.fill("New password", f"{person.username}!")
    await member.find("form.panel").evaluate("form => form.noValidate = true")
    await member.press("Change password")
    assert await member.find("#problems a").count() == 1

    new = "lighthouse keepers at noon"
    await member.fill("Current password", person.password)
    await member.fill("New password", new)
    await member.press("Change password")
    assert member.path == "/accounts/edit/", "this browser stays logged in"
    assert "Your password was changed." in await member.words()

    context = await chromium.new_context()
    await context.add_cookies([{"name": "valetkey", "value": elsewhere, "url": platform.base}])
    other = Visitor(await context.new_page(), platform.base)
    await other.open("/accounts/edit/")
    assert other.path == "/accounts/login/"
    await other.log_in(person.username, person.password)
    assert "do not belong together" in await other.words()
    await other.log_in(person.username, new)
    assert other.path == "/accounts/edit/"
    await context.close()


@both
async def test_where_i_am_logged_in(
    member: Visitor, context: BrowserContext, platform: Platform, person: Person
) -> None:
    phone = await platform.session(
        person, "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/605"
    )
    await platform.session(person, "Mozilla/5.0 (Windows NT 10.0) Chrome/150.0 Edg/150.0")
    await member.open("/accounts/sessions/")
    names = member.find("main li strong")
    assert (await names.all_inner_texts())[0] == "Firefox on Linux", "this browser first"
    assert sorted(await names.all_inner_texts()) == [
        "Edge on Windows",
        "Firefox on Linux",
        "Safari on iPhone",
    ]

    await member.leave_by(member.find("main li", has_text="Safari on iPhone").get_by_role("button"))
    assert sorted(await names.all_inner_texts()) == ["Edge on Windows", "Firefox on Linux"]
    mine = [cookie for cookie in await context.cookies() if cookie["name"] == "valetkey"]
    await context.add_cookies([{"name": "valetkey", "value": phone, "url": platform.base}])
    await member.open("/accounts/sessions/")
    assert member.path == "/accounts/login/", "the phone is out"

    await context.add_cookies(mine)
    await member.open("/accounts/sessions/")
    await member.press("Log out everywhere else")
    assert await names.all_inner_texts() == ["Firefox on Linux"]


async def test_times_are_told_in_the_readers_own_zone(
    chromium: Browser, platform: Platform, person: Person
) -> None:
    context = await chromium.new_context(locale="de-DE", timezone_id="Asia/Kathmandu")
    token = await platform.session(person)
    await context.add_cookies([{"name": "valetkey", "value": token, "url": platform.base}])
    there = Visitor(await context.new_page(), platform.base)
    await there.open("/accounts/sessions/")
    time = there.find("time[data-minute]").first
    at = await time.get_attribute("datetime")
    told = await there.page.evaluate(
        "at => new Intl.DateTimeFormat('de-DE', {dateStyle: 'long', timeStyle: 'short'}).format(new Date(at))",
        at,
    )
    await expect(time).to_have_text(told)
    await context.close()
