"""G. Sessions: planted, stolen, left behind, too old."""

import pytest

from tests.flows.browser import Browser
from tests.house import PASSWORD, SITE, Build, House, Person
from valetkey.protocol.changes import Changes
from valetkey.protocol.rules.digest import digest
from valetkey.server import accounts
from valetkey.settings import SessionSettings

COOKIE = "__Host-valetkey"
VISITOR = "__Host-valetkey_visitor"


async def is_in(browser: Browser) -> str | None:
    """Who is logged in here, as the server sees it."""
    page = await browser.open("/accounts/edit/")
    if page.asks_login:
        return None
    return page.form("/accounts/edit/").fields["full_name"]


async def test_G1_a_planted_session_id_is_not_taken(house: House, snoop: Person) -> None:
    """CVE-2024-28197, CVE-2026-7507: whatever id a browser brings, login makes another."""
    for planted in ("A" * 43, "x", "", "0" * 1000, "../../etc/passwd", '"quoted"'):
        browser = house.browser()
        browser.cookies[COOKIE] = planted
        page = await browser.open("/accounts/login/")
        browser.cookies[COOKIE] = planted
        await browser.login(page, snoop.username, snoop.password)
        assert browser.session not in (planted, None)
        attacker = house.browser()
        attacker.cookies[COOKIE] = planted
        assert await is_in(attacker) is None


async def test_G1_logging_in_again_ends_the_session_before(house: House, snoop: Person) -> None:
    browser = await house.logged_in(snoop)
    before = browser.session
    await browser.login(await browser.open("/accounts/login/"), snoop.username, snoop.password)
    assert browser.session != before
    old = house.browser()
    old.cookies[COOKIE] = before or ""
    assert await is_in(old) is None
    assert len(await house.store.sessions_of(snoop.account.id)) == 1


async def test_G1_the_visitor_s_cookie_is_no_session(house: House, snoop: Person) -> None:
    browser = house.browser()
    page = await browser.open("/accounts/login/")
    visitor = browser.cookies[VISITOR]
    await browser.login(page, snoop.username, snoop.password)
    assert browser.session != visitor
    other = house.browser()
    other.cookies[COOKIE] = visitor
    assert await is_in(other) is None


async def test_G2_cookies_have_every_restriction(house: House, snoop: Person) -> None:
    browser = house.browser()
    answer = await browser.ask("GET", "/accounts/login/")
    (visitor,) = answer.headers.get_list("set-cookie")
    page = await browser.open("/accounts/login/")
    fields = page.login_form.fields | {"username": snoop.username, "password": snoop.password}
    answer = await browser.ask("POST", "/accounts/login/", data=fields)
    session = next(line for line in answer.headers.get_list("set-cookie") if line.startswith(COOKIE + "="))
    for line in (visitor, session):
        name, *attributes = [part.strip().lower() for part in line.split(";")]
        assert name.startswith("__host-valetkey")
        assert {"httponly", "secure", "samesite=lax", "path=/"} <= set(attributes)
        assert not [attribute for attribute in attributes if attribute.startswith("domain")]
        assert len(name.partition("=")[2]) == 43


async def test_G2_without_https_the_prefix_and_the_flag_are_left_out(build: Build) -> None:
    """Browsers would not keep such a cookie: a trial on this machine must work."""
    house = await build(issuer="http://127.0.0.1:8000")
    answer = await house.raw("GET", "/accounts/login/")
    line = answer.header("set-cookie") or ""
    assert (
        line.startswith("valetkey_visitor=") and "secure" not in line.lower() and "httponly" in line.lower()
    )
    assert answer.header("strict-transport-security") is None


async def test_G2_a_cookie_of_another_application_is_in_nobody_s_way(house: House, snoop: Person) -> None:
    """Another application on the same host may set what it likes; people are not locked out by it."""
    browser = await house.logged_in(snoop)
    ours = f"{COOKIE}={browser.session}"
    for theirs in (
        "a=b c",
        "foo[bar]=1",
        "a",
        "=",
        "a={}",
        'a="b',
        "a=é",
        "$Version=1",
        "a=b,c=d",
        "expires=x",
        "ü=1",
    ):
        for line in (f"{theirs}; {ours}", f"{ours}; {theirs}", f"{theirs};{ours};{theirs}"):
            answer = await house.raw("GET", "/accounts/edit/", b"", [(b"cookie", line.encode())])
            assert answer.status == 200, line


async def test_G3_logging_out_ends_the_session_on_the_server(house: House, snoop: Person) -> None:
    browser = await house.logged_in(snoop)
    session = browser.session or ""
    page = await browser.open("/")
    await browser.submit(page, page.form("/accounts/logout/"), {})
    assert await house.store.signed_in(digest(session)) is None
    browser.cookies[COOKIE] = session
    assert await is_in(browser) is None
    app = await house.make_app()
    assert (await browser.open(house.authorize_url(app))).asks_login


async def test_G4_a_disabled_account_and_a_new_password(house: House, snoop: Person) -> None:
    one, other = await house.logged_in(snoop), await house.logged_in(snoop)
    app = await house.make_app()
    token = await house.token(one, app)
    await accounts.set_password(house.server, snoop.account.id, "another passphrase", keep=None)
    assert [await is_in(one), await is_in(other), await house.lives(token)] == [None, None, False]
    browser = house.browser()
    page = await browser.login(await browser.open("/accounts/login/"), snoop.username, "another passphrase")
    assert await is_in(browser) == "Snoop Dogg"
    await accounts.disable(house.server, snoop.account.id)
    assert await is_in(browser) is None
    page = await browser.login(await browser.open("/accounts/login/"), snoop.username, "another passphrase")
    assert page.status == 400
    await accounts.enable(house.server, snoop.account.id)
    assert await is_in(browser) is None, "a session that ended stays ended"


@pytest.mark.parametrize("how", ["new password", "disabled"])
async def test_G4_a_login_under_way_does_not_slip_through(house: House, snoop: Person, how: str) -> None:
    """The old password was right when it was checked, and is not any more when the session is opened."""
    passwords, verify = house.server.passwords, house.server.passwords.verify

    async def slow(encoded: str | None, password: str) -> bool:
        right = await verify(encoded, password)
        if how == "disabled":
            await accounts.disable(house.server, snoop.account.id)
        else:
            await accounts.set_password(house.server, snoop.account.id, "another passphrase")
        return right

    browser = house.browser()
    page = await browser.open("/accounts/login/")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "verify", slow)
        page = await browser.login(page, snoop.username, snoop.password)
    assert page.status == 400 and browser.session is None
    assert await house.store.sessions_of(snoop.account.id) == []


async def test_G4_a_yes_under_way_does_not_slip_through(
    house: House, snoop: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is changed after the answer's session was looked up, and before the answer is written."""
    app, browser = await house.make_app(), await house.logged_in(snoop)
    page = await browser.open(house.authorize_url(app))
    apply = house.store.apply

    async def late(changes: Changes) -> None:
        monkeypatch.undo()
        await accounts.set_password(house.server, snoop.account.id, "another passphrase")
        await apply(changes)

    monkeypatch.setattr(house.store, "apply", late)
    assert (await browser.consent(page, "allow")).left is None
    assert await accounts.connected_apps(house.server, snoop.account) == []


async def test_G5_a_session_ends_when_it_is_not_used_and_in_any_case(build: Build) -> None:
    house = await build(session=SessionSettings(idle=3600, absolute=10_000))
    snoop = await house.make_account()
    browser = await house.logged_in(snoop)
    for _ in range(3):
        house.clock.forward(3000)
        assert await is_in(browser) == "Snoop Dogg", "use keeps it alive"
    house.clock.forward(1000)
    assert await is_in(browser) is None, "but not beyond its absolute end"
    idle = await house.logged_in(snoop)
    house.clock.forward(3599)
    assert await is_in(idle) == "Snoop Dogg"
    house.clock.forward(3600)
    assert await is_in(idle) is None
    app = await house.make_app()
    assert (await idle.open(house.authorize_url(app))).asks_login


async def test_G5_using_the_authorization_endpoint_does_not_outlive_the_session(build: Build) -> None:
    house = await build(session=SessionSettings(idle=600, absolute=10_000))
    browser = await house.logged_in(await house.make_account())
    app = await house.make_app()
    page = await browser.open(house.authorize_url(app))
    house.clock.forward(600)
    page = await browser.consent(page, "allow")
    assert page.left is None, "the question was open for too long"


async def test_G7_what_matters_asks_for_the_password_again(house: House, snoop: Person) -> None:
    """Somebody at an unlocked screen: no e-mail address, password, secret or app is changed without it."""
    app = await house.make_app(owner=snoop)
    browser = await house.logged_in(snoop)
    for path, action, answers in (
        ("/accounts/edit/", "/accounts/email/", {"email": "evil@mail.example"}),
        ("/accounts/password/change/", "/password/change/", {"new": "the attacker's own words"}),
        (f"/developer/apps/{app.id}/", "/secret/", {"overlap": "0"}),
        (f"/developer/apps/{app.id}/", "/delete/", {"confirm": "Photo Printer"}),
    ):
        for password in ("", "wrong", None, PASSWORD.upper(), PASSWORD + " "):
            page = await browser.fill(path, action, **answers, password=password, current=password)
            assert page.status in (400, 429), action
    assert await house.store.account(snoop.account.id) == snoop.account
    assert await house.store.client(app.id) == app.client


async def test_G8_two_people_and_one_browser(house: House, snoop: Person) -> None:
    """CVE-2025-12390: nothing of the first is left when the second has logged in."""
    dre, app = await house.make_account("dre", "Dr. Dre"), await house.make_app()
    browser = await house.logged_in(snoop)
    first = browser.session
    asked = await browser.open(house.authorize_url(app))
    await browser.login(await browser.open("/accounts/login/"), dre.username, dre.password)
    assert await is_in(browser) == "Dr. Dre" and browser.session != first
    page = await browser.consent(asked, "allow")
    assert page.left is None, "the question that was put to the first is not answered by the second"
    assert await house.store.connected_apps(dre.account.id) == []
    assert await house.store.connected_apps(snoop.account.id) == []
    old = house.browser()
    old.cookies[COOKIE] = first or ""
    assert await is_in(old) is None


async def test_G6_a_session_id_is_on_no_page(house: House, snoop: Person) -> None:
    browser = await house.logged_in(snoop)
    app = await house.make_app()
    for url in ("/", "/accounts/sessions/", "/accounts/edit/", house.authorize_url(app), "/developer/"):
        page = await browser.open(url)
        assert browser.session and browser.session not in page.html
        assert browser.session not in str(page.response.headers)
    assert SITE.startswith("https://")
