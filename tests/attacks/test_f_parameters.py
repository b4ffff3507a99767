"""F. Parameters: there twice, missing, broken, full of other languages' syntax."""

from urllib.parse import quote, urlencode

import pytest

from tests.flows.browser import Browser
from tests.house import ONE_STORE, PASSWORD, Answer, App, Build, House, Person, parameters
from valetkey.protocol.model import Registration
from valetkey.settings import AppSettings

FORM = (b"content-type", b"application/x-www-form-urlencoded")


@pytest.fixture
async def app(house: House) -> App:
    return await house.make_app()


def cookies(browser: Browser) -> tuple[bytes, bytes]:
    return b"cookie", "; ".join(f"{name}={value}" for name, value in browser.cookies.items()).encode()


@ONE_STORE
async def test_F1_there_twice_at_the_authorization_endpoint(house: House, app: App, browser: Browser) -> None:
    """CVE-2026-9689. Whichever way the name is spelled, and whether it is known or not."""
    await house.allow(browser, app)
    url = house.authorize_url(app, state="s", scope="basic")
    for name in ("client_id", "redirect_uri", "response_type", "state", "scope", "foo", "code_challenge"):
        value = parameters(url).get(name, "x")
        for again in (name, quote(name[0]) + name[1:], f"%{ord(name[0]):02x}{name[1:]}"):
            more = f"&{again}={quote(value)}" + (f"&{name}=x" if name not in url else "")
            page = await browser.open(url + more)
            assert page.status == 400 and page.left is None, again


async def test_F1_there_twice_in_a_form(house: House, app: App, snoop: Person, browser: Browser) -> None:
    """Login, sign-up, consent, profile: no field twice, and none in the address as well."""
    stranger = house.browser()
    login = (await stranger.open("/accounts/login/")).login_form.fields
    consent = (await browser.open(house.authorize_url(app))).consent_form.fields
    edit = (await browser.open("/accounts/edit/")).form("/accounts/edit/").fields
    said = {"username": snoop.username, "password": snoop.password}
    for who, path, fields in (
        (stranger, "/accounts/login/", login | said),
        (browser, "/oauth/authorize/consent", consent | {"decision": "allow"}),
        (browser, "/accounts/edit/", edit),
    ):
        for name, value in fields.items():
            for second in (value, "other"):
                body = urlencode([*fields.items(), (name, second)]).encode()
                answer = await house.raw("POST", path, b"", [FORM, cookies(who)], body)
                assert answer.status == 400, (path, name)
                query = urlencode({name: second}).encode()
                answer = await house.raw(
                    "POST", path, query, [FORM, cookies(who)], urlencode(fields).encode()
                )
                assert answer.status == 400, (path, name)
    assert (await browser.open(house.authorize_url(app))).asks_consent, "nothing was allowed"


async def test_F1_there_twice_at_the_api(house: House, app: App, browser: Browser) -> None:
    token = await house.token(browser, app)
    for query in (
        f"access_token={token}&access_token={token}",
        f"access_token={token}&%61ccess_token={token}",
        f"access_token={token}&x=1&x=1",
        f"access_token={token}&sig=a&%73ig=b",
        f"access_token=&access_token={token}",
    ):
        answer = await house.raw("GET", "/v1/users/self", query.encode())
        assert answer.status == 400 and answer.json()["meta"]["error_type"] == "OAuthParameterException"


async def test_F1_a_header_that_is_there_twice(house: House, app: App, browser: Browser) -> None:
    code = await house.code(browser, app)
    body = urlencode(house.exchange_fields(app, code)).encode()
    for name, one, other in (
        (b"authorization", b"Bearer x", b"Bearer y"),
        (b"content-type", FORM[1], b"multipart/form-data; boundary=x"),
        (b"content-length", b"1", b"2"),
        (b"host", b"id.example", b"evil.example"),
        (b"content-encoding", b"identity", b"gzip"),
    ):
        for path in ("/", "/accounts/login/", "/oauth/authorize"):
            headers = [(name, one), (name, other), (b"accept", b"text/html")]
            assert (await house.raw("GET", path, b"", headers)).status == 400, (path, name)
        answer = await house.raw("POST", "/oauth/access_token", b"", [(name, one), (name, other)], body)
        assert answer.status == 400 and answer.json()["error_type"] == "OAuthException", name
    token = (await house.exchange(app, code)).json()["access_token"]
    twice = [(b"authorization", f"Bearer {token}".encode())] * 2
    for path in ("/v1/users/self", "/v1/users/1", "/v1/users/1/"):
        answer = await house.raw("GET", path, headers=twice)
        assert answer.status == 400 and answer.json()["meta"]["error_type"] == "OAuthParameterException"


async def test_F2_missing_and_empty_are_the_same(house: House, app: App, browser: Browser) -> None:
    await house.allow(browser, app)
    for name in ("scope", "state", "code_challenge"):
        where = await house.allow(browser, app, **{name: ""})
        assert set(parameters(where)) == {"code"}
    for name in ("client_id", "redirect_uri", "response_type"):
        for value in ("", None):
            page = await browser.open(house.authorize_url(app, **{name: value}))
            assert page.status == 400
    for query in (b"", b"&", b"&&&", b"=", b"=x"):
        assert (await house.raw("GET", "/oauth/authorize", query)).status == 400


BROKEN = [
    b"%00",
    b"a%00b",
    b"%ff",
    b"%c0%af",
    b"%e0%80%af",
    b"%ed%a0%80",
    b"%f5%80%80%80",
    b"%zz",
    b"%",
    b"%1",
    b"%u0041",
    b"\xff\xfe",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
]


@pytest.mark.parametrize("bad", BROKEN, ids=repr)
async def test_F3_bytes_that_are_no_text(house: House, app: App, browser: Browser, bad: bytes) -> None:
    """A clear 400 in the endpoint's own form, wherever they are: in a value, in a name, known or not."""
    asked = house.authorize_url(app).partition("?")[2].encode()
    code = await house.code(browser, app)
    fields = urlencode(house.exchange_fields(app, code)).encode()
    token = (await house.exchange(app, code)).json()["access_token"].encode()
    login = urlencode((await browser.open("/accounts/login/")).login_form.fields).encode()
    answers: list[Answer] = []
    for extra in (b"&x=" + bad, b"&" + bad + b"=x", b"&state=" + bad):
        answers.append(await house.raw("GET", "/oauth/authorize", asked + extra, [cookies(browser)]))
        answers.append(await house.raw("POST", "/oauth/access_token", b"", [FORM], fields + extra))
        answers.append(await house.raw("POST", "/oauth/access_token", extra[1:], [FORM], fields))
        answers.append(await house.raw("POST", "/oauth/token", b"", [FORM], fields + extra))
        answers.append(await house.raw("GET", "/v1/users/self", b"access_token=" + token + extra))
        answers.append(
            await house.raw("POST", "/accounts/login/", b"", [FORM, cookies(browser)], login + extra)
        )
        answers.append(
            await house.raw("POST", "/oauth/authorize/consent", b"", [FORM, cookies(browser)], login + extra)
        )
    for answer in answers:
        assert answer.status == 400 and answer.header("content-type") == "application/json"
        assert answer.header("location") is None
    for answer in answers[:2]:
        assert list(answer.json()) == ["code", "error_type", "error_message"]
    assert answers[3].json()["error"] == "invalid_request"
    assert answers[4].json()["meta"]["code"] == 400
    for path in ("/", "/accounts/login/", "/accounts/signup/", "/accounts/edit/", "/developer/"):
        for query in (b"next=" + bad, b"done=" + bad, b"check=" + bad, bad):
            answer = await house.raw("GET", path, query, [cookies(browser)])
            assert answer.status in (200, 400), (path, query)


@ONE_STORE
async def test_F4_line_breaks_stay_where_they_are(house: House, app: App, browser: Browser) -> None:
    await house.allow(browser, app)
    for value in ("a\r\nLocation: https://evil.example/", "a\nb", "a\rb", "\t", "a\x0bb\x0c"):
        where = await house.allow(browser, app, state=value)
        assert parameters(where)["state"] == value and value not in where
        answer = await browser.ask(
            "GET", house.authorize_url(app, scope=value), headers={"accept": "application/json"}
        )
        assert answer.status_code == 400
        assert not set(answer.json()["error_message"]) & set("\r\n\t\x0b\x0c")


INJECTIONS = [
    "' OR '1'='1",
    "'; DROP TABLE accounts; --",
    '" OR ""="',
    "1) UNION SELECT * FROM accounts--",
    "$1",
    "%s%s%n",
    "{{7*7}}",
    "${7*7}",
    "<%= 7*7 %>",
    "*)(uid=*",
    "[$ne]",
    "../../../../etc/passwd",
    "|id",
    "$(id)",
    "\\'",
    "%",
    "_",
]


async def test_F5_other_languages_mean_nothing(house: House, app: App, snoop: Person) -> None:
    """SQL, NoSQL, LDAP, templates, shells: in every field that a database is asked with."""
    for text in INJECTIONS:
        house.clock.forward(300)  # so that no throttle is in the way
        browser = house.browser()
        page = await browser.open("/accounts/login/")
        for username, password in ((text, text), (snoop.username, text), (snoop.username + text, PASSWORD)):
            page = await browser.login(page, username, password)
            assert page.status == 400 and browser.session is None
        page = await browser.open(house.authorize_url(app, client_id=text))
        assert page.status == 400
        for change in ({"client_id": text}, {"client_secret": text}, {"code": text}):
            answer = await house.http().post(
                "/oauth/access_token", data=house.exchange_fields(app, "x") | change
            )
            assert answer.status_code == 400
        assert not await house.lives(text)
    for name in ("client_id[$ne]", "client_id[]", "client_id.x"):
        answer = await house.raw("GET", "/oauth/authorize", urlencode({name: app.id}).encode())
        assert answer.json()["error_message"].startswith("You must include a valid client_id")
    assert await house.store.account(snoop.account.id) == snoop.account


XSS = [
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{1337*7331}}<b>",
    "&lt;script&gt;alert(1)",
]
TAGS = ("<img src=x", "<svg onload", "<script>alert", "<b>", "9801547")


def check_escaped(html: str, *texts: str) -> None:
    for tag in TAGS:
        assert tag not in html.lower()
    assert 'href="javascript:' not in html.lower()
    for text in texts:
        assert text not in html or not set(text) & set("<>\"'&")


@ONE_STORE
@pytest.mark.parametrize("text", XSS)
async def test_F6_what_is_kept_is_shown_as_text(house: House, text: str) -> None:
    """CVE-2018-1000088: a client's name on the consent screen. And every other word that somebody chose."""
    owner = await house.make_account("mallory")
    browser = await house.logged_in(owner)
    page = await browser.fill("/accounts/edit/", "/accounts/edit/", full_name=text[:64], bio=text)
    check_escaped(page.html, text)
    app = await house.make_app(owner=owner, name=text[:64], description=text, sandbox=True)
    await browser.fill(f"/developer/apps/{app.id}/", "/testers/", username="mallory")
    page = await browser.open(house.authorize_url(app))
    assert page.asks_consent and text[:64] in page.text
    check_escaped(page.html, text)
    await browser.consent(page, "allow")
    shown = 0
    for url in (
        "/",
        "/accounts/edit/",
        "/accounts/manage_access/",
        "/accounts/sessions/",
        "/developer/",
        f"/developer/apps/{app.id}/",
        f"/developer/apps/{app.id}/?check={quote(text)}",
        house.authorize_url(app, scope="likes"),
    ):
        page = await browser.open(url)
        assert page.status == 200
        check_escaped(page.html, text)
        shown += text[:64] in page.text
    assert shown >= 5, "it was there, as text"
    login = await house.browser().open(house.authorize_url(app))
    check_escaped(login.html, text)


@ONE_STORE
@pytest.mark.parametrize("text", XSS)
async def test_F6_what_is_sent_is_shown_as_text(house: House, app: App, browser: Browser, text: str) -> None:
    for change in (
        {"client_id": text},
        {"redirect_uri": text},
        {"response_type": text},
        {"scope": text},
        {"state": text, "scope": "likes"},
        {text: "x", "scope": "likes"},
    ):
        for each in (browser, house.browser()):
            check_escaped((await each.open(house.authorize_url(app, **change))).html, text)
    for url in (
        f"/accounts/login/?next={quote(text)}",
        f"/accounts/signup/?next={quote(text)}",
        f"/?done={quote(text)}",
        f"/accounts/edit/?done={quote(text)}",
        f"/{quote(text, safe='')}",
        f"/developer/apps/{quote(text, safe='')}/",
    ):
        check_escaped((await browser.open(url)).html, text)
    stranger = house.browser()
    page = await stranger.open("/accounts/login/")
    page = await stranger.submit(page, page.login_form, {"username": text, "password": text, "next": text})
    check_escaped(page.html, text)
    page = await stranger.fill(
        "/accounts/signup/", "/signup/", username=text, full_name=text, email=text, next=text
    )
    check_escaped(page.html, text)
    answer = await stranger.ask("POST", "/accounts/login/", data={"csrf": text, "ticket": text})
    check_escaped(answer.text, text)


@ONE_STORE
async def test_F7_unknown_parameters_count_for_the_limits(house: House, app: App, browser: Browser) -> None:
    await house.allow(browser, app)
    for many, status in ((97, 302), (98, 400), (5000, 414)):
        more = "".join(f"&x{n}=" for n in range(many))
        answer = await browser.ask("GET", house.authorize_url(app) + more)
        assert answer.status_code == status, many


@ONE_STORE
async def test_J8_who_proves_nothing_cannot_fill_the_database(build: Build, database: str) -> None:
    """A pushed request and a device's wait for a person: in a minute, a public app leaves so many from one network."""
    house = await build(apps=AppSettings(unproven_requests=3))
    grants = ("authorization_code", "urn:ietf:params:oauth:grant-type:device_code")
    app = await house.make_app(type="native", profile="oauth21", registered=Registration(grant_types=grants))
    safe = await house.make_app(profile="oauth21")
    fields = {"client_id": app.id}
    for _ in range(3):
        assert (await house.http().post("/oauth/device_authorization", data=fields)).status_code == 200
    for path in ("/oauth/device_authorization", "/oauth/par"):
        full = await house.http().post(path, data=fields)
        assert (full.status_code, full.json()["error"]) == (429, "temporarily_unavailable")
        assert full.headers["retry-after"] == "60"
    other = await house.http("198.51.100.9").post("/oauth/device_authorization", data=fields)
    assert other.status_code == 200, "nobody else is held up"
    for _ in range(5):
        proven = {"client_id": safe.id, "client_secret": safe.secret, "response_type": "code"}
        pushed = await house.http().post("/oauth/par", data=proven)
        assert pushed.json()["error"] == "invalid_request"
    house.clock.forward(60)
    assert (await house.http().post("/oauth/device_authorization", data=fields)).status_code == 200
