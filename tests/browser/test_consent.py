"""The confirmation screen: who asks for what, and the ways out of it (classic.md D1 to D8)."""

import asyncio
import re
from urllib.parse import urlsplit

import httpx2
from playwright.async_api import BrowserContext, expect

from tests.browser.platform import Person, Platform
from tests.browser.printer import Printer, code_in
from tests.browser.visitor import Visitor, both, everywhere
from valetkey.protocol.model import Registration

DENIED = "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request"
STATE = "a%2Bb%20c~%7B%22d%22%3A1%7D"


@everywhere
async def test_allow(visitor: Visitor, platform: Platform, printer: Printer, person: Person) -> None:
    app = await platform.app(printer.back, name="Photo Prints", description="On paper")
    printer.to = f"{platform.base}{app.asks(scope='basic comments')}&state={STATE}"
    await visitor.open(printer.base)
    await visitor.follow("Connect")
    assert "Photo Prints" in await visitor.words(), "who asks, before a password is typed"
    await visitor.log_in(person.username, person.password)

    words = await visitor.words()
    assert await visitor.heading() == "Allow Photo Prints to use your account?"
    for told in (
        "An app by Photo Prints Ltd",
        "Zoë Ångström",
        person.username,
        "See your profile: your name, picture, bio and website",
        "Write and delete comments in your name Sensitive",
        "It never sees your password.",
        f"You go on to {urlsplit(printer.base).netloc}.",
        "It keeps this access until you remove it",
    ):
        assert told in words
    assert "Like and unlike" not in words, "what was not asked for"
    sizes = "buttons => buttons.map(b => [b.offsetWidth, b.offsetHeight, getComputedStyle(b).fontSize])"
    allow, deny = await visitor.find("[name=decision]").evaluate_all(sizes)
    assert allow == deny, "no answer is made easier than the other"
    fields = await visitor.find("form[action$='/consent'] [name]").evaluate_all("all => all.map(f => f.name)")
    assert sorted(fields) == ["csrf", "decision", "decision", "ticket"], (
        "the request itself stays on the server"
    )

    await visitor.press("Allow")
    url = visitor.page.url
    assert re.fullmatch(re.escape(printer.back) + r"\?code=[0-9a-f]{32}&state=" + re.escape(STATE), url)
    assert printer.asked[-1] == url, "as the app's server sees it"
    answer = (await platform.exchange(app, code_in(url))).json()
    assert answer["user"]["username"] == person.username


@everywhere
async def test_deny(member: Visitor, platform: Platform, printer: Printer) -> None:
    """D5: the same words in both flows, in the query."""
    app = await platform.app(printer.back, allow_implicit=True)
    await member.open(app.asks())
    await member.press("Deny")
    assert member.page.url == f"{printer.back}?{DENIED}"
    await member.open(app.asks(response_type="token", state="s1"))
    await member.press("Deny")
    assert member.page.url == printer.asked[-1] == f"{printer.back}?{DENIED}&state=s1"


@both
async def test_the_implicit_flow(
    member: Visitor, platform: Platform, printer: Printer, person: Person
) -> None:
    """D4: the token in the fragment, which only the app's script sees."""
    app = await platform.app(printer.back, type="spa", allow_implicit=True)
    await member.open(app.asks(response_type="token"))
    assert "Its access ends by itself after 1 hour" in await member.words()
    await member.press("Allow")
    fragment = urlsplit(member.page.url).fragment
    assert re.fullmatch(rf"access_token={app.id[:7]}\.[0-9a-f]{{32}}", fragment)
    assert printer.asked == [printer.back], "the app's server sees no token"
    if member.scripts:
        await expect(member.find("#seen")).to_have_text(f"#{fragment}")
    answer = await platform.whose(fragment.removeprefix("access_token="))
    assert answer.json()["data"]["username"] == person.username


@both
async def test_asked_once_then_remembered_until_more_is_wanted(
    member: Visitor, platform: Platform, printer: Printer
) -> None:
    app = await platform.app(printer.back)
    await member.open(app.asks())
    await member.press("Allow")
    await member.open(app.asks(state="again"))
    assert re.search(r"/back\?code=[0-9a-f]{32}&state=again$", member.page.url), "not asked again"

    await member.open(app.asks(scope="basic likes"))
    assert await member.heading() == f"Allow {app.name} to do more?"
    new = await member.find("section[aria-labelledby=can] > ul").inner_text()
    assert "Like and unlike things in your name" in new and "See your profile" not in new
    await member.find("summary").click()
    await expect(member.find("details")).to_contain_text("See your profile")
    await member.press("Allow")
    await member.open(app.asks(scope="likes"))
    assert member.page.url.startswith(printer.back), "both are remembered"


async def test_an_app_without_a_server_is_asked_about_every_time(
    member: Visitor, platform: Platform, printer: Printer
) -> None:
    app = await platform.app(printer.back, type="spa", allow_implicit=True)
    for _ in range(2):
        await member.open(app.asks(response_type="token"))
        await member.press("Allow")
        assert member.page.url.startswith(f"{printer.back}#access_token=")


async def test_further_parameters_of_the_redirect_uri_come_back(
    member: Visitor, platform: Platform, printer: Printer
) -> None:
    """D8: ?shop=7 was not registered, and the code is exchanged with it."""
    app = await platform.app(printer.back)
    given = f"{printer.back}?shop=7"
    await member.open(app.asks(redirect_uri=given))
    await member.press("Allow")
    assert re.fullmatch(re.escape(given) + "&code=[0-9a-f]{32}", member.page.url)
    answer = await platform.exchange(app, code_in(member.page.url), redirect_uri=given)
    assert answer.status_code == 200


@both
async def test_a_callback_may_go_on_to_another_host(
    member: Visitor, platform: Platform, printer: Printer
) -> None:
    """Chromium holds form-action against every redirect after the form, the app's own too."""
    app = await platform.app(f"{printer.base}/hop")
    await member.open(app.asks())
    await member.press("Allow")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/back\?code=[0-9a-f]{32}", member.page.url)


async def test_an_app_of_the_phone_gets_its_own_scheme(
    member: Visitor, platform: Platform, printer: Printer
) -> None:
    app = await platform.app("photoprints://authorize", type="native", allow_implicit=True)
    await member.open(app.asks(response_type="token"))
    assert "an app on this device (photoprints:)" in await member.words()
    async with member.page.expect_response("**/oauth/authorize/consent") as answered:
        await member.find("[value=allow]").click()
    location = (await (await answered.value).all_headers())["location"]
    assert re.fullmatch(rf"photoprints://authorize#access_token={app.id[:7]}\.[0-9a-f]{{32}}", location)


@both
async def test_not_you(member: Visitor, platform: Platform, printer: Printer, person: Person) -> None:
    app, other = await platform.app(printer.back), await platform.person("Ann Other")
    await member.open(app.asks(state="mine"))
    await member.follow("Not you?")
    assert f"You are logged in as {person.username}." in await member.words()
    await member.log_in(other.username, other.password)
    assert await member.heading() == f"Allow {app.name} to use your account?"
    assert "Ann Other" in await member.words() and person.username not in await member.words()
    await member.press("Allow")
    assert member.page.url.endswith("&state=mine")
    answer = (await platform.exchange(app, code_in(member.page.url))).json()
    assert answer["user"]["username"] == other.username


async def test_by_keyboard_alone(
    visitor: Visitor, platform: Platform, printer: Printer, person: Person
) -> None:
    keys = visitor.page.keyboard
    app = await platform.app(printer.back)

    async def tab_to(wanted: str) -> None:
        """Tab until the element has the keyboard; where the keyboard is can be seen on the way."""
        for _ in range(20):
            await keys.press("Tab")
            outline = await visitor.page.evaluate(
                "(({outlineStyle, outlineWidth}) => outlineStyle !== 'none' && parseFloat(outlineWidth))"
                "(getComputedStyle(document.activeElement))"
            )
            assert outline >= 2, await visitor.focused()
            if await visitor.focused() == wanted:
                return
        raise AssertionError(f"{wanted} is not reached by Tab")

    await visitor.open(app.asks())
    assert await visitor.focused() == "username", "ready to be typed into"
    await keys.type(person.username)
    await tab_to("password")
    await keys.type(person.password)
    async with visitor.page.expect_navigation():
        await keys.press("Enter")
    await visitor.look()
    assert await visitor.heading() == f"Allow {app.name} to use your account?"
    await keys.press("Tab")
    assert await visitor.focused() == "Skip to the content"
    await keys.press("Enter")
    for wanted in ("Not you?", "decision=deny", "decision=allow"):
        await tab_to(wanted)
    async with visitor.page.expect_navigation():
        await keys.press("Enter")
    assert visitor.page.url.startswith(f"{printer.back}?code=")


async def test_enter_on_the_confirmation_screen_allows_nothing_by_itself(
    member: Visitor, platform: Platform, printer: Printer
) -> None:
    """Whoever still types their password when the screen comes must not have said yes."""
    app = await platform.app(printer.back)
    await member.open(app.asks())
    await member.page.keyboard.press("Enter")
    await member.page.keyboard.press("Space")
    assert await member.heading() == f"Allow {app.name} to use your account?"


@both
async def test_two_tabs_keep_their_own_requests(
    visitor: Visitor, context: BrowserContext, platform: Platform, printer: Printer, person: Person
) -> None:
    """H7: both ask for a login; what each tab asked for is what it gets, in whatever order."""
    one, two = await platform.app(printer.back, name="One"), await platform.app(printer.back, name="Two")
    other = Visitor(await context.new_page(), platform.base)
    await visitor.open(one.asks(state="first"))
    await other.open(two.asks(state="second", scope="basic likes"))
    await other.log_in(person.username, person.password)
    await visitor.log_in(person.username, person.password)
    assert await visitor.heading() == "Allow One to use your account?"

    await other.open(two.asks(state="second", scope="basic likes"))
    assert await other.heading() == "Allow Two to use your account?"
    await visitor.press("Allow")
    await other.press("Allow")
    for tab, app, state in ((visitor, one, "first"), (other, two, "second")):
        assert tab.page.url.endswith(f"&state={state}")
        assert (await platform.exchange(app, code_in(tab.page.url))).status_code == 200


async def test_going_back_grants_nothing(
    member: Visitor, platform: Platform, printer: Printer, person: Person
) -> None:
    """After the yes the back button leads to a fresh question, and leaving it is not an answer."""
    app = await platform.app(printer.back, type="spa", allow_implicit=True)
    await member.open(app.asks(response_type="token"))
    ticket = await member.find("[name=ticket]").get_attribute("value")
    await member.press("Allow")
    token = urlsplit(member.page.url).fragment.removeprefix("access_token=")
    await member.page.go_back()
    await member.look()
    assert await member.heading() == f"Allow {app.name} to use your account?"
    assert await member.find("[name=ticket]").get_attribute("value") != ticket
    await member.page.go_forward()
    assert member.page.url == f"{printer.back}#access_token={token}"
    assert len(printer.asked) <= 2 and (await platform.whose(token)).status_code == 200


async def test_a_second_click_does_no_harm(member: Visitor, platform: Platform, printer: Printer) -> None:
    """The app takes its time, and the person thinks that nothing has happened."""
    app = await platform.app(f"{printer.base}/slow")
    await member.open(app.asks())
    await member.find("[value=allow]").scroll_into_view_if_needed()
    allow = await member.find("[value=allow]").bounding_box()
    assert allow
    async with member.page.expect_navigation(url=f"{app.redirect_uri}?code=*"):
        await member.page.mouse.click(allow["x"] + 9, allow["y"] + 9)
        await asyncio.wait_for(printer.waits.wait(), 10)
        await member.page.mouse.click(allow["x"] + 9, allow["y"] + 9)
        printer.goes_on.set()
    assert (await platform.exchange(app, code_in(member.page.url))).status_code == 200


async def test_in_a_popup(
    member: Visitor, platform: Platform, printer: Printer, context: BrowserContext
) -> None:
    """window.opener lives through our pages, so that the app's own landing page can talk to it."""
    app = await platform.app(printer.back, type="spa", allow_implicit=True)
    printer.to = f"{platform.base}{app.asks(response_type='token', state='pop')}"
    await member.open(printer.base)
    async with context.expect_page() as opening:
        await member.find("#popup").click()
    popup = Visitor(await opening.value, platform.base)
    await popup.page.wait_for_load_state()
    await popup.look()
    assert await popup.heading() == f"Allow {app.name} to use your account?"
    async with popup.page.expect_event("close"):
        await popup.find("[value=allow]").click()
    await expect(member.find("#seen")).to_have_text(re.compile(r"^\?state=pop#access_token=[0-9a-f.]{40}$"))


@both
async def test_a_redirect_uri_of_somebody_else(
    visitor: Visitor, platform: Platform, printer: Printer
) -> None:
    """Nothing leads there: no redirect, no link, no form, not even the word."""
    app = await platform.app(printer.back)
    await visitor.open(app.asks(redirect_uri=f"{printer.base}/elsewhere", state="s"))
    assert visitor.path == "/oauth/authorize/"
    assert await visitor.heading() == "This link does not belong to the app"
    assert re.search(r"Reference [0-9a-f]{10}", await visitor.words())
    assert "elsewhere" not in await visitor.page.content()
    links = await visitor.find("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert set(links) == {"#main", "/"}
    assert printer.asked == []


@everywhere
async def test_what_is_optional_can_be_left_out(
    member: Visitor, platform: Platform, printer: Printer
) -> None:
    """Boxes, ticked unless they are sensitive; by the keyboard and without scripts, too."""
    may = Registration(optional_scope=("public_content", "comments", "likes"))
    app = await platform.app(printer.back, profile="oauth20", registered=may)
    await member.open(app.asks(scope="basic public_content comments likes"))
    boxes = {"public_content": True, "comments": False, "likes": False}
    for name, ticked in boxes.items():
        await expect(member.find(f"[name='scope:{name}']")).to_be_checked(checked=ticked)
    await member.find("label", has_text="See public profiles").click()
    await member.find("[name='scope:likes']").press("Space")
    await member.press("Allow")
    fields = {"redirect_uri": printer.back, "client_id": app.id, "client_secret": app.secret}
    fields |= {"grant_type": "authorization_code", "code": code_in(member.page.url)}
    async with httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{platform.base}/oauth/token", data=fields)
    assert answer.json()["scope"] == "basic likes"
    await member.open(app.asks(scope="basic public_content comments likes"))
    assert member.page.url.startswith(printer.back), "what was left out is not asked for again"
