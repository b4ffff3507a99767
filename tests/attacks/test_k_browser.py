"""K. What browsers and pages of other sites may do with our answers."""

import io
import re

import pytest
from PIL import Image

from tests.flows.browser import PRIVATE, Browser
from tests.flows.today import PKCE, VERIFIER
from tests.house import ONE_STORE, App, House, Person
from valetkey.web.app import STATIC

pytestmark = ONE_STORE


@pytest.fixture
async def app(house: House, snoop: Person) -> App:
    return await house.make_app(
        owner=snoop, sandbox=True, description="Prints", website="https://app.example/"
    )


def every_page(house: House, app: App) -> list[str]:
    return [
        "/",
        "/accounts/login/",
        "/accounts/signup/",
        *PRIVATE,
        f"/developer/apps/{app.id}/",
        f"/developer/apps/{app.id}/?check=x",
        house.authorize_url(app, scope="likes"),
        house.authorize_url(app, redirect_uri="https://evil.example/"),
        "/nowhere",
        "/accounts/login",
        "/oauth/nowhere",
        "/.well-known/change-password",
        "/healthz",
        "/robots.txt",
    ]


async def test_R19_K3_headers_on_every_page(house: House, app: App, browser: Browser) -> None:
    for url in every_page(house, app):
        for who in (browser, house.browser()):
            for method in ("GET", "HEAD"):
                headers = (await who.ask(method, url)).headers
                policy = headers["content-security-policy"]
                directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
                assert directives["default-src"] == "'none'", url
                assert directives["frame-ancestors"] == "'none'" and directives["base-uri"] == "'none'"
                assert "unsafe" not in policy and "*" not in policy and "data:" not in policy
                for allowed in ("script-src", "style-src", "img-src", "connect-src"):
                    assert directives.get(allowed, "'none'") in ("'self'", "'none'")
                assert headers["x-frame-options"] == "DENY"
                assert headers["x-content-type-options"] == "nosniff"
                assert headers["referrer-policy"] == "no-referrer"
                assert headers["cache-control"] == "no-store"
                assert headers["strict-transport-security"].startswith("max-age=")
                assert "cross-origin-opener-policy" not in headers, "it would cut popups off from their app"
                for name in headers:
                    assert headers.get_list(name) == headers.get_list(name)[:1] or name == "set-cookie"


async def test_K1_nothing_inline_and_nothing_of_others(house: House, app: App, browser: Browser) -> None:
    for url in every_page(house, app):
        page = await browser.open(url)
        if "html" not in page.response.headers.get("content-type", ""):
            continue
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=", page.html), url
        for loaded in re.findall(
            r'<(?:script|img|link|iframe|source)\b[^>]*?(?:src|href)="([^"]*)"', page.html
        ):
            assert loaded.startswith("/") and not loaded.startswith("//"), loaded
        assert "<base" not in page.html and "http-equiv" not in page.html


async def test_K2_types_are_said_and_not_guessed(house: House, browser: Browser) -> None:
    kinds = {"/static/pages.css": "text/css", "/theme.css": "text/css", "/icon.svg": "image/svg+xml"}
    scripts = {f"/static/{file.name}": "text/javascript" for file in STATIC.glob("*.js")}
    for path, kind in (kinds | scripts | {"/favicon.ico": "image/x-icon"}).items():
        answer = await browser.ask("GET", path)
        assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind), path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    out = io.BytesIO()
    Image.new("RGB", (32, 32)).save(out, "GIF")
    polyglot = out.getvalue() + b"/*<script>alert(1)</script>*/"
    page = await browser.open("/accounts/edit/")
    files = {"picture": ("x.html", polyglot, "text/html")}
    page = await browser.submit(page, page.form("/accounts/picture/"), {}, files=files)
    (path,) = re.findall(r'src="(/pictures/[^"]+)"', page.html)[:1]
    answer = await browser.ask("GET", path)
    assert answer.headers["content-type"] == "image/jpeg" and b"script" not in answer.content


async def test_K3_what_is_private_is_not_kept(house: House, app: App, browser: Browser) -> None:
    """Answers of every kind: redirects, refusals, tokens, API calls, forms that were sent."""
    code = await house.code(browser, app)
    token = await house.exchange(app, code)
    assert token.headers["cache-control"] == "no-store" and token.headers["pragma"] == "no-cache"
    me = await house.me(token.json()["access_token"])
    refused = [
        await house.exchange(app, code),
        await house.me("x"),
        await house.http().get("/oauth/access_token"),
    ]
    page = await browser.open(house.authorize_url(app, scope="likes"))
    sent = [
        (await browser.consent(page, "deny")).response,
        await browser.ask("POST", "/accounts/login/", data={}),
        await browser.ask("POST", "/accounts/edit/", data={}),
        await browser.ask("GET", "/accounts/edit/"),
    ]
    for answer in (me, *refused, *sent):
        assert answer.headers["cache-control"] == "no-store"


async def test_K4_a_token_in_the_query_is_the_origin_s_way_only(
    house: House, app: App, browser: Browser
) -> None:
    """RFC 6750 2.3; OAuth 2.1 dropped it. An app of today sends the header."""
    for profile in ("oauth20", "oauth21"):
        today = await house.make_app(profile=profile, name=profile)
        code = await house.code(browser, today, scope="basic", **PKCE)
        fields = house.exchange_fields(today, code, code_verifier=VERIFIER)
        token = (await house.http().post("/oauth/token", data=fields)).json()["access_token"]
        answer = await house.me(token)
        assert (answer.status_code, answer.json()["meta"]["error_type"]) == (400, "OAuthParameterException")
        answer = await house.http().get("/v1/users/self", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200
    assert (await house.me(await house.token(browser, app))).status_code == 200


async def test_K5_two_tokens_in_one_request(house: House, app: App, browser: Browser) -> None:
    one, other = await house.token(browser, app), await house.token(browser, app)
    for query, header in ((one, one), (one, other), (one, "x"), ("x", one)):
        answer = await house.http().get(
            "/v1/users/self", params={"access_token": query}, headers={"authorization": f"Bearer {header}"}
        )
        assert answer.status_code == 400 and answer.json()["meta"]["error_type"] == "OAuthParameterException"


async def test_K6_no_jsonp_and_no_credentials_across_sites(house: House, app: App, browser: Browser) -> None:
    token = await house.token(browser, app)
    answer = await browser.ask(
        "GET",
        "/v1/users/self",
        params={"access_token": token, "callback": "steal", "jsonp": "steal"},
        headers={"origin": "https://evil.example"},
    )
    assert answer.headers["content-type"] == "application/json" and answer.text.startswith("{")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers and "set-cookie" not in answer.headers
    answer = await browser.ask("GET", "/v1/users/self")
    assert answer.status_code == 400, "a cookie is no token"


@pytest.mark.usefixtures("database")
def test_K7_our_pages_listen_to_no_other_window() -> None:
    for script in STATIC.glob("*.js"):
        text = script.read_text()
        for word in (
            "postMessage",
            "opener",
            "window.parent",
            "innerHTML",
            "outerHTML",
            "document.write",
            "eval(",
        ):
            assert word not in text, (script.name, word)
        assert not re.search(r"""addEventListener\(\s*["']message""", text)


async def test_K8_answers_tell_no_more_than_they_must(house: House, app: App, browser: Browser) -> None:
    dre = await house.make_account("dre", "Dr. Dre")
    answer = await house.exchange(app, await house.code(browser, app))
    token = answer.json()["access_token"]
    assert set(answer.json()["user"]) == {"id", "username", "full_name", "profile_picture"}
    for who in ("self", str(dre.account.id)):
        said = (await house.http().get(f"/v1/users/{who}", params={"access_token": token})).text
        assert "mail.example" not in said and "argon2" not in said and "password" not in said
