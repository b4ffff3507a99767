"""What people do with their accounts: signing up, logging in and out, the profile, the password, sessions, apps."""

import io
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from tests.flows.browser import PRIVATE, Browser, Page
from tests.house import PASSWORD, Build, House, Person
from valetkey.settings import AccountSettings

NEW = "murder was the case 94"
NATE = {"username": "nate", "full_name": "Nate Dogg", "email": "nate@mail.example", "password": NEW}


async def is_in(browser: Browser) -> bool:
    """Whether this browser is logged in, as the server sees it."""
    page = await browser.open("/accounts/edit/")
    assert page.status == 200
    return not page.asks_login


# --- signing up, logging in and out -----------------------------------------------------------------------------------


async def test_signing_up(house: House) -> None:
    browser = house.browser()
    page = await browser.fill("/accounts/signup/", "/accounts/signup/", **NATE)
    assert page.status == 200 and page.url.endswith("/") and "Nate Dogg" in page.text
    assert await is_in(browser), "who has just made an account need not log in"
    again = house.browser()
    page = await again.login(await again.open("/accounts/login/"), "NATE", NEW)
    assert await is_in(again), "upper and lower case make no difference in a username"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"username": ""}, "Username must be"),
        ({"username": "na te"}, "Username must be"),
        ({"username": "nаte"}, "Username must be"),
        ({"username": "x" * 31}, "Username must be"),
        ({"username": "SnoopDogg"}, "Username is taken"),
        ({"email": "nate"}, "E-mail does not look like an address"),
        ({"email": ""}, "E-mail does not look like an address"),
        ({"full_name": "n" * 65}, "Your name is longer than 64 characters"),
        ({"full_name": "Nate\u202egoD"}, "Your name has invisible or control characters"),
        ({"password": ""}, "Password is shorter than 15 characters"),
        ({"password": "short but long"}, "Password is shorter than 15 characters"),
        ({"password": "x" * 20}, "Password repeats the same few characters"),
        ({"password": "x" * 1001}, "Password is longer than 1,000 bytes"),
    ],
)
async def test_signing_up_with_something_wrong(house: House, change: dict[str, str], says: str) -> None:
    await house.make_account()
    browser = house.browser()
    page = await browser.fill("/accounts/signup/", "/accounts/signup/", **(NATE | change))
    assert page.status == 400 and says in page.text
    form = page.form("/accounts/signup/")
    assert form.fields["password"] == "" and NEW not in page.html, "a password never comes back"
    assert form.fields["username"] == (NATE | change)["username"], "what was typed is still there"
    assert browser.session is None
    assert await house.store.account_named("nate") is None


async def test_signing_up_can_be_switched_off(build: Build) -> None:
    house = await build(accounts=AccountSettings(signup=False))
    browser = house.browser()
    assert (await browser.open("/accounts/signup/")).status == 404
    csrf = (await browser.open("/accounts/login/")).login_form.fields["csrf"]
    answer = await browser.ask("POST", "/accounts/signup/", data=NATE | {"csrf": csrf})
    assert answer.status_code == 404
    assert await house.store.account_named("nate") is None
    assert "Create an account" not in (await browser.open("/")).text


@pytest.mark.parametrize("path", PRIVATE)
async def test_who_is_not_logged_in_logs_in_and_comes_back(house: House, path: str) -> None:
    snoop = await house.make_account()
    browser = house.browser()
    page = await browser.open(path)
    assert page.asks_login
    page = await browser.login(page, snoop.username, snoop.password)
    assert page.status == 200 and page.url.endswith(path) and not page.asks_login


async def test_logging_out_ends_the_session_on_the_server(house: House) -> None:
    browser = await house.logged_in(await house.make_account())
    kept = dict(browser.cookies)
    page = await browser.open("/")
    page = await browser.submit(page, page.form("/accounts/logout/"), {})
    assert page.status == 200 and "You are logged out" in page.text
    assert browser.session is None, "the browser forgets the cookie"
    browser.cookies = kept
    assert not await is_in(browser), "and the cookie is worth nothing"
    assert (await browser.open("/accounts/logout/")).status == 405


async def test_logging_out_leaves_tokens_and_other_browsers_alone(house: House) -> None:
    snoop, app = await house.make_account(), await house.make_app()
    browser, other = await house.logged_in(snoop), await house.logged_in(snoop)
    token = await house.token(browser, app)
    page = await browser.open("/")
    await browser.submit(page, page.form("/accounts/logout/"), {})
    assert await is_in(other) and await house.lives(token)


# --- the profile ------------------------------------------------------------------------------------------------------


async def edit(browser: Browser, **answers: str) -> Page:
    return await browser.fill("/accounts/edit/", "/accounts/edit/", **answers)


async def test_editing_the_profile(house: House, snoop: Person, browser: Browser) -> None:
    said = {"full_name": "Snoop Lion", "bio": "Long Beach\r\nCalifornia", "website": "https://snoop.example/"}
    page = await edit(browser, **said)
    assert "Saved." in page.text
    form = page.form("/accounts/edit/")
    assert form.fields["full_name"] == "Snoop Lion" and form.fields["website"] == "https://snoop.example/"
    account = await house.store.account(snoop.account.id)
    assert account is not None
    assert (account.full_name, account.bio) == ("Snoop Lion", "Long Beach\nCalifornia")
    for bad, says in (
        ({"website": "javascript:alert(1)"}, "Website must start with"),
        ({"website": "https://a b/"}, "Website must start with"),
        ({"bio": "b" * 301}, "Bio is longer than 300 characters"),
        ({"full_name": "\u200b"}, "Name has invisible"),
    ):
        page = await edit(browser, **bad)
        assert page.status == 400 and says in page.text
    assert await house.store.account(snoop.account.id) == account


async def test_the_e_mail_address_is_changed_with_the_password(
    house: House, snoop: Person, browser: Browser
) -> None:
    async def address() -> str:
        account = await house.store.account(snoop.account.id)
        assert account is not None
        return account.email

    page = await browser.fill("/accounts/edit/", "/accounts/email/", email="new@mail.example", password="no")
    assert page.status == 400 and "That is not your password" in page.text
    assert await address() == "snoopdogg@mail.example"
    page = await browser.fill(
        "/accounts/edit/", "/accounts/email/", email="new@mail.example", password=PASSWORD
    )
    assert "Your e-mail address was changed" in page.text
    assert await address() == "new@mail.example"


# --- the picture ------------------------------------------------------------------------------------------------------

SECRET = b"GPS: where the picture was taken"


def png(side: tuple[int, int] = (64, 48), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", side, (200, 30, 30)).save(out, "PNG", **more)
    return out.getvalue()


def talkative_png() -> bytes:
    """A picture with EXIF, a text chunk, and HTML and a ZIP's beginning behind its end."""
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    return png(exif=exif, pnginfo=text) + b"<script>alert(1)</script>PK\x03\x04" + SECRET


async def upload(browser: Browser, content: bytes, name: str = "me.png", kind: str = "image/png") -> Page:
    page = await browser.open("/accounts/edit/")
    return await browser.submit(
        page, page.form("/accounts/picture/"), {}, files={"picture": (name, content, kind)}
    )


async def test_a_picture_is_decoded_and_written_anew(house: House, snoop: Person, browser: Browser) -> None:
    page = await upload(browser, talkative_png(), name="../../etc/passwd", kind="text/html")
    assert "Your picture was changed" in page.text
    app = await house.make_app()
    url = (await house.me(await house.token(browser, app))).json()["data"]["profile_picture"]
    answer = await house.http().get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.content.startswith(b"\xff\xd8") and answer.content.endswith(b"\xff\xd9")
    for unwanted in (SECRET, b"script", b"Exif", b"PK\x03\x04"):
        assert unwanted not in answer.content
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (320, 320) and not image.getexif()
    page = await browser.open("/accounts/edit/")
    remove = next(form for form in page.forms if ("remove", "yes") in form.buttons)
    page = await browser.submit(page, remove, {"remove": "yes"})
    account = await house.store.account(snoop.account.id)
    assert account is not None and account.picture == ""


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


async def test_what_is_no_picture_is_refused(house: House, snoop: Person, browser: Browser) -> None:
    bmp = io.BytesIO()
    Image.new("RGB", (8, 8)).save(bmp, "BMP")
    bad = {
        "svg": SVG,
        "svg called png": SVG,
        "html": b"<!doctype html><script>alert(1)</script>",
        "bmp": bmp.getvalue(),
        "cut short": png()[:60],
        "pdf": b"%PDF-1.7\n%%EOF",
        "gif header only": b"GIF89a<script>alert(1)</script>",
        "bomb": png((7000, 7000)),
        "nothing": b"",
    }
    for name, content in bad.items():
        page = await upload(browser, content, name=f"{name}.png")
        assert page.status == 400, name
        assert "The file" in page.text, name
    account = await house.store.account(snoop.account.id)
    assert account is not None and account.picture == ""
    page = await upload(browser, b"x" * (9 * 1024 * 1024 + 1))
    assert page.status == 413


# --- the password and the sessions ------------------------------------------------------------------------------------


async def change_password(browser: Browser, current: str, new: str) -> Page:
    path = "/accounts/password/change/"
    return await browser.fill(path, path, current=current, new=new)


async def test_changing_the_password_ends_everything_else(
    house: House, snoop: Person, browser: Browser
) -> None:
    other, app = await house.logged_in(snoop), await house.make_app()
    token, code = await house.token(browser, app), await house.code(browser, app)
    page = await change_password(browser, PASSWORD, NEW)
    assert "Your password was changed" in page.text
    assert await is_in(browser), "this browser stays"
    assert not await is_in(other)
    assert not await house.lives(token)
    assert (await house.exchange(app, code)).status_code == 400
    again = house.browser()
    page = await again.login(await again.open("/accounts/login/"), snoop.username, PASSWORD)
    assert page.status == 400 and again.session is None
    await again.login(page, snoop.username, NEW)
    assert await is_in(again)


async def test_a_password_that_is_not_changed(house: House, snoop: Person, browser: Browser) -> None:
    other = await house.logged_in(snoop)
    for current, new, says in (
        ("wrong", NEW, "That is not your password"),
        ("", NEW, "That is not your password"),
        (PASSWORD, "short", "The new password is shorter"),
        (PASSWORD, "", "The new password is shorter"),
        (PASSWORD, "snoopdogg-snoopdogg", "too close to your own name"),
    ):
        page = await change_password(browser, current, new)
        assert page.status == 400 and says in page.text
        assert NEW not in page.html
    assert await is_in(other)
    await house.logged_in(snoop)


async def test_the_sessions_page(house: House, snoop: Person, browser: Browser) -> None:
    phone, work = await house.logged_in(snoop, "198.51.100.4"), await house.logged_in(snoop)
    dre = await house.logged_in(await house.make_account("dre", "Dr. Dre"))
    page = await browser.open("/accounts/sessions/")
    assert page.text.count("Firefox") >= 3 and "198.51.100.4" in page.text
    assert page.text.count("This browser") == 1
    for each in (browser, phone, work, dre):
        assert each.session is not None and each.session not in page.html, "ids stay in their cookies"
    lines = [form for form in page.forms if form.buttons and form.buttons[0][0] == "session"]
    ids = [form.buttons[0][1] for form in lines]
    assert len(ids) == 3 and ids[-1] == "others", "two that can be ended, and all of them"
    ended = 0
    await browser.submit(page, lines[0], {"session": ids[0]})
    for each in (phone, work):
        ended += not await is_in(each)
    assert ended == 1 and await is_in(browser)
    theirs = (await house.store.sessions_of(house.people["dre"].account.id))[0].digest.hex()
    await browser.submit(page, lines[0], {"session": theirs})
    assert await is_in(dre), "somebody else's session is not ours to end"
    await browser.submit(page, lines[-1], {"session": "others"})
    assert [await is_in(each) for each in (browser, phone, work, dre)] == [True, False, False, True]


# --- connected apps ---------------------------------------------------------------------------------------------------


async def test_connected_apps(house: House, browser: Browser) -> None:
    printer, reader = await house.make_app(), await house.make_app(name="Story Reader")
    dre = await house.logged_in(await house.make_account("dre", "Dr. Dre"))
    tokens = [await house.token(browser, app, scope="likes") for app in (printer, reader)]
    theirs = await house.token(dre, printer)
    page = await browser.open("/accounts/manage_access/")
    for words in (
        "Photo Printer",
        "Story Reader",
        "by Dee Veloper",
        "Like and unlike things",
        "Not used yet",
    ):
        assert words in page.text
    assert await house.lives(tokens[0])
    await house.server.usage.share()
    assert "Last used" in (await browser.open("/accounts/manage_access/")).text
    form = next(form for form in page.forms if ("client_id", printer.id) in form.buttons)
    page = await browser.submit(page, form, {"client_id": printer.id})
    assert "Photo Printer" not in page.text and "Story Reader" in page.text
    assert [await house.lives(token) for token in (*tokens, theirs)] == [False, True, True]
    page = await browser.submit(page, form, {"client_id": "f" * 32})
    assert page.status == 200, "an app that is not there is gone already"
