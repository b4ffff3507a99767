"""E. Navigation: where people go next, and what may not decide it."""

import pytest

from tests.flows.browser import PRIVATE
from tests.house import ONE_STORE, SITE, House
from valetkey.web.guard import safe_next

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "\\/evil.example",
    "/\t/evil.example/",
    "/%09/evil.example/",
    "/%5cevil.example/",
    "https:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/accounts/edit/@evil.example",
    "/accounts/edit/../../evil",
    "/accounts/edit/?next=https://evil.example/",
    "/accounts/logout/",
    "/accounts/edit",
    "/oauth/authorize/consent",
    "/oauth/authorize/../../x",
    "/oauth/authorize",
    "//id.example/oauth/authorize?x=y",
    "https://id.example/accounts/edit/",
    "/developer/\r\nSet-Cookie: a=b",
    "/developer/%0d%0aSet-Cookie:%20a=b",
    "/developer/?x=y",
    "/developer/..;/x",
    "/developer/ｘ",
    "accounts/edit/",
    "",
    " ",
    "\0",
]
OURS = [*PRIVATE, "/developer/apps/0123abc/"]


@pytest.mark.parametrize("place", ELSEWHERE)
def test_E1_only_places_of_ours_in_the_rule(place: str) -> None:
    assert safe_next(place) == "/"


@ONE_STORE
async def test_E1_login_and_sign_up_lead_to_places_of_ours_only(house: House) -> None:
    snoop = await house.make_account()
    for number, place in enumerate(ELSEWHERE):
        browser = house.browser(f"192.0.2.{number + 1}")
        page = await browser.open("/accounts/login/")
        if "\0" not in place:
            answer = await browser.ask("GET", "/accounts/login/", params={"next": place})
            assert "evil.example" not in answer.text
        fields = page.login_form.fields | {"username": snoop.username, "password": snoop.password}
        answer = await browser.ask("POST", "/accounts/login/", data=fields | {"next": place})
        if "\0" in place:
            assert answer.status_code == 400
        else:
            assert (answer.status_code, answer.headers["location"]) == (303, "/"), place
    for place in OURS:
        browser = house.browser()
        page = await browser.open(f"/accounts/login/?next={place}")
        answer = await browser.ask(
            "POST",
            "/accounts/login/",
            data=page.login_form.fields | {"username": snoop.username, "password": snoop.password},
        )
        assert answer.headers["location"] == place


@ONE_STORE
async def test_E2_the_referer_decides_nothing(house: House) -> None:
    """CVE-2026-40295."""
    snoop = await house.make_account()
    evil = {"referer": "https://evil.example/"}
    browser = house.browser()
    answer = await browser.ask("GET", "/accounts/edit/", headers=evil)
    assert answer.headers["location"].startswith("/accounts/login/")
    page = await browser.open("/accounts/login/")
    fields = page.login_form.fields | {"username": snoop.username, "password": snoop.password}
    answer = await browser.ask("POST", "/accounts/login/", data=fields, headers=evil)
    assert answer.headers["location"] == "/"
    browser.cookies.clear()
    answer = await browser.ask("POST", "/accounts/edit/", data=fields, headers=evil)
    assert answer.headers["location"].startswith("/accounts/login/")


FORWARDED = [
    {"host": "evil.example"},
    {"host": "evil.example:443"},
    {"host": "id.example:x@evil.example"},
    {"host": "id.example\\@evil.example"},
    {"host": ""},
    {"x-forwarded-host": "evil.example"},
    {"x-forwarded-proto": "http"},
    {"x-forwarded-server": "evil.example"},
    {"x-original-url": "/developer/"},
    {"x-rewrite-url": "/developer/"},
    {"x-http-method-override": "POST"},
    {"forwarded": "host=evil.example;proto=http"},
    {"x-forwarded-prefix": "//evil.example"},
]


@ONE_STORE
@pytest.mark.parametrize("headers", FORWARDED, ids=str)
async def test_E3_host_and_forwarded_headers_decide_no_address(house: House, headers: dict[str, str]) -> None:
    """CVE-2025-64101. Links, cookies and the issuer come from the settings."""
    app = await house.make_app(profile="oauth20")
    browser = await house.logged_in(await house.make_account())
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    cookie = [(b"cookie", f"__Host-valetkey={browser.session}".encode())]
    asked = house.authorize_url(app).partition("?")[2].encode()
    for path, query in (
        ("/", b""),
        ("/accounts/login/", b""),
        ("/accounts/login", b""),
        ("/developer", b""),
        ("/accounts/signup", b""),
        ("/static", b""),
        ("/accounts/edit/", b""),
        ("/oauth/authorize", asked),
        ("/oauth/authorize/", asked),
        ("/.well-known/change-password", b""),
    ):
        for more in ([], cookie):
            answer = await house.raw("GET", path, query, [*sent, *more])
            assert answer.status < 500
            where = answer.header("location") or "/"
            assert where.startswith("/") and not where.startswith("//"), (path, where)
            assert b"evil.example" not in answer.body
            for name, value in answer.headers:
                if name == b"set-cookie":
                    assert value.startswith(b"__Host-") and b"Secure" in value
    token = await house.token(browser, await house.make_app(name="Classic"))
    answer = await house.raw("GET", "/v1/users/self", f"access_token={token}".encode(), sent)
    assert answer.json()["data"]["profile_picture"].startswith(SITE + "/")


ODD_PATHS = [
    "//evil.example/",
    "//evil.example/%2e%2e",
    "///evil.example/accounts/login",
    "/\\evil.example/",
    "/%0d%0aLocation:%20https://evil.example/",
    "/\r\nLocation: https://evil.example/",
    "/accounts/login/;x=y",
    "/accounts/edit/;/../login/",
    "/accounts/../accounts/edit/",
    "/accounts/edit/..;/",
    "/developer/..;/",
    "/oauth/authorize;x=y",
    "/oauth/authorize/..;/consent",
    "/oauth/Authorize",
    "/OAUTH/authorize",
    "/v1/users/self;x",
    "/v1/users/../users/self",
    "/v1//users/self",
    "/static/../app.py",
    "/static/..%2fapp.py",
    "/static/%2e%2e/app.py",
    "/static//etc/passwd",
    "/static/....//app.py",
    "/static/\0",
    "/static/" + "a/" * 3000,
    "/pictures/../x.jpg",
    "/pictures/\0.jpg",
    "/pictures/" + "a" * 5000 + ".jpg",
    "/developer/apps/\0/",
    "/developer/apps/" + "a" * 5000 + "/",
    "/developer/apps/é/",
    "/" + "x" * 7000,
    "",
    "*",
    "https://evil.example/",
]


async def test_E4_odd_paths_lead_nowhere(house: House) -> None:
    """CVE-2026-0976."""
    browser = await house.logged_in(await house.make_account())
    cookie = [(b"cookie", f"__Host-valetkey={browser.session}".encode())]
    for path in ODD_PATHS:
        for method in ("GET", "POST", "HEAD"):
            for headers in ([], cookie, [*cookie, (b"accept", b"text/html")]):
                answer = await raw_path(house, method, path, headers)
                assert 400 <= answer.status < 500 or answer.status == 303, (path, answer.status)
                where = answer.header("location") or "/accounts/login/"
                assert where.startswith("/accounts/login/?next=%2F") or where == "/accounts/login/", (
                    path,
                    where,
                )
                assert b"Traceback" not in answer.body


async def raw_path(house: House, method: str, path: str, headers: list[tuple[bytes, bytes]]):  # type: ignore[no-untyped-def]
    """A request to a path as an HTTP server hands it over: decoded already."""
    return await house.raw(method, path, b"", headers)


@ONE_STORE
async def test_E1_what_the_login_page_is_given_is_where_it_leads(house: House) -> None:
    """An authorization request is carried through a login whole, and still asked of the rules afterwards."""
    app = await house.make_app()
    snoop = await house.make_account()
    browser = house.browser()
    bad = house.authorize_url(app, redirect_uri="https://evil.example/").removeprefix(SITE)
    page = await browser.open("/accounts/login/")
    fields = {"username": snoop.username, "password": snoop.password, "next": bad}
    page = await browser.submit(page, page.login_form, fields)
    assert page.status == 400 and page.left is None and "evil.example" not in "".join(page.links)
