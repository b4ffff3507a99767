"""The developer console: an app from its registration to its end."""

import re

from playwright.async_api import BrowserContext, expect

from tests.browser.platform import App, Person, Platform
from tests.browser.printer import Printer, code_in
from tests.browser.visitor import Visitor, both
from valetkey.web.console.words import EXAMPLES

SECRET = re.compile(r"vk_cs_[A-Za-z0-9_-]{43}[A-Za-z0-9]{6}")


async def register(member: Visitor, name: str, redirect_uris: str) -> tuple[str, str]:
    """Fill in the form; client id and secret as they are shown."""
    await member.open("/developer/register/")
    await member.fill("Name", name)
    await member.fill("Redirect URIs", redirect_uris)
    await member.press("Register")
    shown = await member.find("main pre").all_inner_texts()
    return shown[0], shown[1]


def in_console(app_id: str) -> str:
    return f"/developer/apps/{app_id}/"


@both
async def test_registering_an_app(
    member: Visitor, platform: Platform, printer: Printer, person: Person
) -> None:
    await member.open("/")
    await member.follow("Developer console", "main")
    await member.follow("Register an app", "main")
    assert await member.find("[name=type]:checked").get_attribute("value") == "web"
    assert await member.find("[name=profile]:checked").get_attribute("value") == "oauth21"
    assert "the recommended one" in await member.words(), "D13"
    await member.find("[value=classic]").check()
    await member.fill("Name", "Photo Prints")
    await member.fill("Redirect URIs", "https://*.prints.example/")
    await member.press("Register")
    assert "it must not contain a wildcard" in await member.find("#problems").inner_text()
    await expect(member.find("#name")).to_have_value("Photo Prints")

    await member.fill("Redirect URIs", f"https://prints.example/back\n{printer.back}")
    await member.press("Register")
    assert await member.heading() == "Photo Prints is registered"
    assert "Copy the secret now." in await member.words()
    client_id, secret = await member.find("main pre").all_inner_texts()
    assert re.fullmatch(r"[0-9a-f]{32}", client_id) and SECRET.fullmatch(secret)

    await member.follow("I have stored it, go on")
    assert member.path == in_console(client_id)
    await member.page.reload()
    await member.look()
    page = await member.page.content()
    assert secret not in page and not SECRET.search(page), "shown once"
    assert client_id in page and "redirect_uri=https%3A%2F%2Fprints.example%2Fback" in page

    app = App(client_id, secret, "Photo Prints", printer.back, person)
    await member.open(app.asks())
    await member.press("Allow")
    assert (await platform.exchange(app, code_in(member.page.url))).status_code == 200


async def test_a_browser_app_gets_no_secret(member: Visitor, printer: Printer) -> None:
    await member.open("/developer/register/")
    await member.fill("Name", "Wall")
    await member.find("[value=spa]").check()
    await member.find("[value=classic]").check()
    await member.fill("Redirect URIs", printer.back)
    await member.press("Register")
    assert not SECRET.search(await member.page.content())
    assert "This app has no secret" in await member.words()
    await member.follow("Go on")
    assert "response_type=token" in await member.find("#quick-start").inner_text()
    await expect(member.find("#secrets")).to_have_count(0)
    await expect(member.find("[name=disable_implicit]")).not_to_be_checked()


@both
async def test_the_redirect_checker_knows_the_seven_rows(
    member: Visitor, platform: Platform, person: Person
) -> None:
    """D8: each row of the origin document's table, as it was registered and as it is sent."""
    apps = {registered: await platform.app(registered, person) for registered, _, _ in EXAMPLES}
    for row, (registered, sent, valid) in enumerate(EXAMPLES):
        await member.open(in_console(apps[registered].id))
        await member.find("#checker summary").click()
        cells = await member.find("#checker tbody tr").nth(row).locator("td").all_inner_texts()
        assert [cell.strip() for cell in cells] == [registered, sent, "yes" if valid else "no"]

        await member.fill("redirect_uri", sent)
        await member.press("Check")
        verdict = member.find("#checker [aria-label=Verdicts] li")
        await expect(verdict.locator(".tag")).to_have_text("Accepted" if valid else "Refused")
        await expect(member.find("#check")).to_have_value(sent)
        if not valid:
            words = await verdict.inner_text()
            assert "Rule: the same, character by character; only further query parameters may" in words
            assert re.search(r"Differs at character \d+|Ends too early", words)
            differs = await verdict.locator("mark").all_inner_texts()
            assert not differs or sent.endswith(differs[0])


@both
async def test_settings(member: Visitor, platform: Platform, printer: Printer, person: Person) -> None:
    app = await platform.app(printer.back, person)
    await member.open(in_console(app.id))
    await member.fill("Name", "", "#settings")
    await member.find("#settings form").evaluate("form => form.noValidate = true")
    await member.press("Save settings")
    assert await member.find("#problems li").all_inner_texts() == ["Name is empty."]

    await member.fill("Name", "New Name", "#settings")
    await member.fill("Redirect URIs", f"{printer.base}/\n\n  {printer.back}  ", "#settings")
    await member.find("[name=disable_implicit]").uncheck()
    await member.find("[name=sandbox]").check()
    await member.press("Save settings")
    assert await member.heading() == "New Name"
    await expect(member.find("#redirect_uris")).to_have_value(f"{printer.base}/\n{printer.back}")
    await expect(member.find("[name=disable_implicit]")).not_to_be_checked()
    await expect(member.find("[name=sandbox]")).to_be_checked()
    await member.open(app.asks(response_type="token"))
    assert await member.heading() == "Allow New Name to use your account?"
    assert "in development" in await member.words()


@both
async def test_a_new_secret_while_the_old_one_still_works(
    member: Visitor, platform: Platform, printer: Printer, person: Person
) -> None:
    app = await platform.app(printer.back, person)
    await member.open(in_console(app.id))
    await member.find("#secrets").get_by_label("in 1 hour").check()
    await member.fill("Your password", "not my password", "#secrets")
    await member.press("Make a new secret")
    assert "That is not your password." in await member.find("#problems").inner_text()
    await member.find("#secrets").get_by_label("in 1 hour").check()
    await member.fill("Your password", person.password, "#secrets")
    await member.press("Make a new secret")
    assert "The secret before it works until" in await member.words()
    new = await member.find("main pre").last.inner_text()
    assert SECRET.fullmatch(new) and new != app.secret

    await member.follow("I have stored it, go on")
    assert not SECRET.search(await member.page.content())
    lines = await member.find("#secrets tbody tr").all_inner_texts()
    assert [secret[-4:] in line for secret, line in zip((new, app.secret), lines, strict=True)] == [
        True,
        True,
    ]
    for secret in (app.secret, new):
        await member.open(app.asks(redirect_uri=printer.back))
        if "Allow" in await member.find("body").inner_text():
            await member.press("Allow")
        answer = await platform.exchange(app, code_in(member.page.url), client_secret=secret)
        assert answer.status_code == 200

    await member.open(in_console(app.id))
    await member.find("#secrets").get_by_label("now").check()
    await member.fill("Your password", person.password, "#secrets")
    await member.press("Make a new secret")
    for secret in (app.secret, new):
        answer = await platform.exchange(app, "0" * 32, client_secret=secret)
        assert answer.json()["error_message"] == "Invalid Client Secret"


@both
async def test_testers(
    member: Visitor, context: BrowserContext, platform: Platform, printer: Printer, person: Person
) -> None:
    app = await platform.app(printer.back, person, sandbox=True)
    friend = await platform.person("Ann Other")
    browser = context.browser
    assert browser
    theirs = await browser.new_context()
    token = await platform.session(friend)
    await theirs.add_cookies([{"name": "valetkey", "value": token, "url": platform.base}])
    other = Visitor(await theirs.new_page(), platform.base)
    await other.open(app.asks())
    assert await other.heading() == "This app is still being built"

    await member.open(in_console(app.id))
    await member.fill("Invite by username", "nobody.at.all")
    await member.press("Invite")
    assert "is not the username of anybody here" in await member.find("#problems").inner_text()
    await member.fill("Invite by username", friend.username)
    await member.press("Invite")
    assert friend.username in await member.find("#testers").inner_text()
    await other.open(app.asks())
    assert await other.heading() == f"Allow {app.name} to use your account?"

    await member.press(f"Remove {friend.username}")
    assert friend.username not in await member.words()
    await other.open(app.asks())
    assert await other.heading() == "This app is still being built"
    await theirs.close()


@both
async def test_deleting_an_app(member: Visitor, platform: Platform, printer: Printer, person: Person) -> None:
    app = await platform.app(printer.back, person, name="Photo Prints")
    await member.open(app.asks())
    await member.press("Allow")
    token = (await platform.exchange(app, code_in(member.page.url))).json()["access_token"]
    await member.open(in_console(app.id))
    for name, password, wrong in (
        ("photo prints", person.password, "That is not the name of the app."),
        ("Photo Prints", "not my password", "That is not your password."),
    ):
        await member.fill("Type the name of the app: Photo Prints", name)
        await member.fill("Your password", password, "#delete")
        await member.press("Delete for ever")
        assert wrong in await member.find("#problems").inner_text()
        assert (await platform.whose(token)).status_code == 200
    await member.fill("Type the name of the app: Photo Prints", "Photo Prints")
    await member.fill("Your password", person.password, "#delete")
    await member.press("Delete for ever")
    assert member.path == "/developer/" and "The app was deleted." in await member.words()
    assert (await platform.whose(token)).status_code == 400
    await member.open(app.asks())
    assert await member.heading() == "This app is not known here"


async def test_somebody_elses_app_is_not_there(member: Visitor, platform: Platform, printer: Printer) -> None:
    app = await platform.app(printer.back)
    await member.open(in_console(app.id))
    assert await member.heading() == "Not found"


async def test_copying(
    member: Visitor, context: BrowserContext, platform: Platform, printer: Printer
) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    _, secret = await register(member, "Copied", printer.back)
    block = member.find("[data-copy]", has_text=secret)
    await block.get_by_role("button", name="Copy").click()
    await expect(block.get_by_role("button")).to_have_text("Copied")
    assert await member.page.evaluate("navigator.clipboard.readText()") == secret
