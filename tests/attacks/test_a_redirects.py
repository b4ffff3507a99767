"""A. The authorization endpoint: where the answer goes, and what it carries."""

from urllib.parse import quote, urlencode

import pytest

from tests.flows.browser import Browser
from tests.flows.today import PKCE
from tests.house import ONE_STORE, App, House, Person, fragment, parameters
from valetkey.protocol.rules.redirect_uri import RESPONSE_NAMES
from valetkey.server.problems import Problems

pytestmark = ONE_STORE
REGISTERED = "https://app.example/cb"
LOGGED_OUT, LOGGED_IN = False, True

PARSER_CONFUSION = [  # A3
    "https://app.example@evil.example/cb",
    "https://user@app.example/cb",
    "https://app.example:x@evil.example/cb",
    "https://app.example%40evil.example/cb",
    "https://a@b@app.example/cb",
    "https://app.example\\@evil.example/cb",
    "https://evil.example\\.app.example/cb",
    "https://evil.example#app.example/cb",
    "https://evil.example?app.example/cb",
    "https://evil.example/https://app.example/cb",
    "https://app.example%2f@evil.example/cb",
    "https://app.example%23@evil.example/cb",
    "https:app.example/cb",
    "https:/app.example/cb",
    "https:///app.example/cb",
    "https:\\\\app.example\\cb",
    "//app.example/cb",
    "/cb",
    "app.example/cb",
    "https://app.example/cb@evil.example",
    "https://app.example/cb\\@evil.example",
    "https://app.example/cb?\\@evil.example",
    "https://app.example/cb?x=\\",
    "https://app.example/cb?x=<y>",
    'https://app.example/cb?x="y"',
    "https://app.example/cb?x='y'",
    "https://app.example/cb?x=y^z",
    "https://app.example/cb?x=`y`",
    "https://app.example/cb?x={y}",
    "https://app.example/cb?x=y|z",
    "https://app.example/cb?",
]
OTHER_HOSTS = [  # A4
    "https://evil.app.example/cb",
    "https://app.example.evil.example/cb",
    "https://evilapp.example/cb",
    "https://app-example/cb",
    "https://appXexample/cb",
    "https://app.exampl/cb",
    "https://app.example./cb",
    "https://app.example:443/cb",
    "https://app.example:8443/cb",
    "https://app.example:/cb",
    "http://app.example/cb",
    "https://APP.example/cb",
    "HTTPS://app.example/cb",
    "https://*.example/cb",
    "https://app.example*/cb",
]
OTHER_PATHS = [  # A5
    "https://app.example/cb/",
    "https://app.example/cb/more",
    "https://app.example/cbmore",
    "https://app.example/CB",
    "https://app.example/c%62",
    "https://app.example//cb",
    "https://app.example/./cb",
    "https://app.example/x/../cb",
    "https://app.example/cb/..",
    "https://app.example/cb/../evil",
    "https://app.example/cb/..;/evil",
    "https://app.example/cb;x=y",
    "https://app.example/cb%2f..%2fevil",
    "https://app.example/cb/%2e%2e/evil",
    "https://app.example/cb/%252e%252e/evil",
    "https://app.example/cb%3fx=y",
    "https://app.example/cb%20",
    "https://app.example/cb.",
    "https://app.example/cb&x=y",
    "https://app.example/cb*",
    "https://app.example/",
    "https://app.example",
]
SCHEMES = [  # A6
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "javascript://app.example/cb",
    "javascript://app.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "DATA:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://app.example/cb",
    "about:blank",
    "view-source:https://app.example/cb",
]
ODD_HOSTS = [  # A7
    "https://аpp.example/cb",
    "https://ａｐｐ.example/cb",
    "https://app。example/cb",
    "https://app.example／cb",
    "https://app\u00ad.example/cb",
    "https://app.example\u200b/cb",
    "https://app.example/ｃb",
    "https://app.example/cb?x=é",
    "https://app.example/cb?x=%C3%A9",
    "https://[::1]/cb",
    "https://[::ffff:127.0.0.1]/cb",
    "https://2130706433/cb",
    "https://0x7f.1/cb",
    "https://0177.0.0.1/cb",
]
CONTROL = [  # A8
    "https://app.example/cb\r\nSet-Cookie: a=b",
    "https://app.example/cb?x=y\r\nSet-Cookie: a=b",
    "https://app.example/cb?x=%0d%0aSet-Cookie:%20a=b",
    "https://app.example/cb?x=%0A",
    "https://app.example/cb?x=%00",
    "https://app.example/cb?x=%7f",
    "https://app.example/cb?x=%e2%80%ae",
    "https://app.example/cb?x=%",
    "https://app.example/cb?x=%zz",
    "https://app.example/cb\n",
    "\nhttps://app.example/cb",
    "https://app.example/cb\t",
    "https://app.example/\tcb",
    "https://app.example/cb ",
    " https://app.example/cb",
    "https://app.example/cb?x= y",
    "\ufeffhttps://app.example/cb",
    "https://app.example/cb\u2028",
    "https://app.example/cb\x85",
]
POLLUTION = [  # A9
    *(f"https://app.example/cb?{name}=x" for name in RESPONSE_NAMES),
    *(f"https://app.example/cb?a=b&{name}=x" for name in RESPONSE_NAMES),
    *(f"https://app.example/cb?{name.upper()}=x" for name in RESPONSE_NAMES),
    *(f"https://app.example/cb?{name}[]=x" for name in RESPONSE_NAMES),
    "https://app.example/cb?code",
    "https://app.example/cb?c%6fde=x",
    "https://app.example/cb?%63%6F%64%65=x",
    "https://app.example/cb?code[0]=x",
    "https://app.example/cb?code[a][b]=x",
    "https://app.example/cb?code%5B%5D=x",
    "https://app.example/cb?code.x=x",
    "https://app.example/cb?+code=x",
    "https://app.example/cb?code+=x",
    "https://app.example/cb?%20code=x",
    "https://app.example/cb?a=b;code=x",
    "https://app.example/cb?a=b&&code=x",
    "https://app.example/cb?a?code=x&state=y",
    "https://app.example/cb?error.reason=x",
    "https://app.example/cb?error description=x",
]
FRAGMENTS = [  # A10
    "https://app.example/cb#",
    "https://app.example/cb#x",
    "https://app.example/cb?a=b#x",
    "https://app.example/cb#access_token=x",
]
GOOD = [
    REGISTERED,
    "https://app.example/cb?this=that",
    "https://app.example/cb?this=that&another=true",
    "https://app.example/cb?next=https://app.example/a%20b?c=d",
    "https://app.example/cb?codeword=x&mystate=y&errors=z",
    "https://app.example/cb?redirect_state=0123456789",
]


@pytest.fixture
async def app(house: House) -> App:
    return await house.make_app(REGISTERED, allow_implicit=True)


async def refused(house: House, app: App, browser: Browser, uris: list[str]) -> list[str]:
    """Those that were not refused as they must be: 400, no redirect, no word of the address in a link or form."""
    let_through = []
    cookie = f"__Host-valetkey={browser.session}".encode()
    for uri in uris:
        for headers in ([], [(b"cookie", cookie)], [(b"cookie", cookie), (b"accept", b"text/html")]):
            for response_type in ("code", "token", ""):
                asked = {"client_id": app.id, "redirect_uri": uri, "response_type": response_type}
                query = urlencode(asked, errors="surrogatepass").encode()
                answer = await house.raw("GET", "/oauth/authorize", query, headers)
                if answer.status != 400 or answer.header("location") is not None:
                    let_through.append(uri)
                assert b"evil.example" not in answer.body
    return let_through


async def test_what_may_be_added_is_let_through(house: House, app: App, browser: Browser) -> None:
    """So that the refusals below mean something."""
    assert await refused(house, app, browser, GOOD) == [uri for uri in GOOD for _ in range(6)]
    for uri in GOOD:
        assert (await house.allow(browser, app, redirect_uri=uri)).startswith(uri)


@pytest.mark.parametrize(
    "uris",
    [
        pytest.param(PARSER_CONFUSION, id="A3_parser_confusion"),
        pytest.param(OTHER_HOSTS, id="A4_other_hosts"),
        pytest.param(OTHER_PATHS, id="A5_other_paths"),
        pytest.param(SCHEMES, id="A6_schemes"),
        pytest.param(ODD_HOSTS, id="A7_unicode_and_addresses"),
        pytest.param(CONTROL, id="A8_control_characters"),
        pytest.param(POLLUTION, id="A9_names_of_the_answer"),
        pytest.param(FRAGMENTS, id="A10_fragments"),
    ],
)
async def test_A1_A2_a_redirect_uri_that_is_not_the_registered_one(
    house: House, app: App, browser: Browser, uris: list[str]
) -> None:
    """Refused before login and after it, whatever the response_type, as a page and as JSON."""
    assert await refused(house, app, browser, uris) == []


async def test_A1_today_s_profiles_take_the_registered_one_and_no_other(
    house: House, browser: Browser
) -> None:
    app = await house.make_app(REGISTERED, profile="oauth20")
    everything = [
        *PARSER_CONFUSION,
        *OTHER_HOSTS,
        *OTHER_PATHS,
        *SCHEMES,
        *ODD_HOSTS,
        *CONTROL,
        *FRAGMENTS,
        *GOOD[1:],
    ]
    assert await refused(house, app, browser, everything) == []


async def test_A5_a_long_redirect_uri(house: House, app: App, browser: Browser) -> None:
    fits = REGISTERED + "?x=" + "y" * (2000 - len(REGISTERED) - 3)
    assert await refused(house, app, browser, [fits + "y", fits + "y" * 1000]) == []
    assert (await house.allow(browser, app, redirect_uri=fits)).startswith(fits)


async def test_A2_the_client_and_the_redirect_uri_come_before_everything_else(
    house: House, app: App, browser: Browser
) -> None:
    """No other parameter, right or wrong, opens a way to an address that is not trusted (CVE-2019-9837)."""
    for more in (
        {"prompt": "none"},
        {"response_type": "id_token"},
        {"scope": "fly"},
        {"response_mode": "form_post"},
        {"response_mode": "fragment"},
        {"code_challenge_method": "plain"},
        {"state": "x" * 3000},
    ):
        for change in ({"redirect_uri": "https://evil.example/"}, {"client_id": "f" * 32}):
            for each in (browser, house.browser()):
                page = await each.open(house.authorize_url(app, **(more | change)))
                assert page.status == 400 and page.left is None and not page.asks_login


@pytest.mark.parametrize("profile", ["classic", "oauth20", "oauth21"])
async def test_A6_what_may_not_be_registered(house: House, profile: str) -> None:
    for uri in (*SCHEMES, *FRAGMENTS, *CONTROL, *POLLUTION):
        if uri.strip() == REGISTERED:
            continue  # what was pasted with white space around it is taken without
        for kind in ("web", "native"):
            with pytest.raises(Problems):
                await house.make_app(uri, profile=profile, type=kind)
    for uri in (
        "https://user:pw@app.example/",
        "https://*.app.example/",
        "https://app.example/*",
        "https://app.example/a/../b",
        "https://app.example/%2e%2e/b",
        "https://app.example\\@evil.example/",
        "https://app.example/é",
        "https://éxample.example/",
        "https://-app.example/",
        "https://app-.example/",
        "https://app..example/",
        "https://app.example./",
        f"https://{'a' * 64}.example/",
        "https://1.2.3/",
        "https://0x7f000001/",
        "/cb",
        "app.example",
        "https://",
        "https:///cb",
        "https://app.example:99999/",
        "https://app.example:0/",
        "https://" + "a" * 2000 + ".example/",
    ):
        with pytest.raises(Problems):
            await house.make_app(uri, profile=profile)


async def test_A11_a_redirect_never_sends_a_form_again(house: House, app: App, snoop: Person) -> None:
    """302 or 303 after a POST with a password in it; no spelling of the address gets a 307."""
    browser = house.browser()
    page = await browser.open(house.authorize_url(app))
    fields = page.login_form.fields | {"username": snoop.username, "password": snoop.password}
    answer = await browser.ask("POST", "/accounts/login/", data=fields)
    assert answer.status_code == 303
    page = await browser.open(house.authorize_url(app))
    answer = await browser.ask(
        "POST", "/oauth/authorize/consent", data=page.consent_form.fields | {"decision": "allow"}
    )
    assert answer.status_code == 302
    for path in ("/accounts/login", "/accounts/signup", "/accounts/password/change", "/developer/register"):
        answer = await browser.ask("POST", path, data=fields)
        assert answer.status_code == 405, path
    for path in ("/oauth/authorize/consent/", "/oauth/token/", "/oauth//token", "/accounts//login/"):
        answer = await browser.ask("POST", path, data=fields)
        assert answer.status_code == 404, path


async def test_A12_the_issuer_is_named_where_the_profile_says_so(
    house: House, app: App, browser: Browser
) -> None:
    assert "iss" not in parameters(await house.allow(browser, app))
    today = await house.make_app(profile="oauth20", name="Today")
    assert parameters(await house.allow(browser, today))["iss"] == "https://id.example"


@pytest.mark.parametrize("mode", ["query", "form_post", "web_message", "query.jwt", "fragment"])
async def test_A13_a_response_mode_moves_no_token(
    house: House, app: App, browser: Browser, mode: str
) -> None:
    where = await house.allow(browser, app, response_type="token", response_mode=mode)
    assert fragment(where).startswith("access_token=") and "access_token" not in where.partition("#")[0]
    where = await house.allow(browser, app, response_mode=mode)
    assert set(parameters(where)) == {"code"} and "#" not in where


async def test_A14_a_token_in_the_address_is_not_kept(house: House, app: App, browser: Browser) -> None:
    page = await browser.open(house.authorize_url(app, response_type="token"))
    page = await browser.consent(page, "allow")
    assert page.response.headers["cache-control"] == "no-store"
    assert page.response.headers["referrer-policy"] == "no-referrer"
    assert fragment(page.left or "").count("=") == 1, "no refresh token, nothing else"


async def test_A15_the_implicit_flow_is_off_unless_an_app_has_it(house: House, browser: Browser) -> None:
    for profile, status in (("classic", 403), ("oauth20", None), ("oauth21", None)):
        app = await house.make_app(profile=profile, name=profile)
        page = await browser.open(house.authorize_url(app, response_type="token"))
        if status is not None:
            assert page.status == status and page.left is None
        else:
            assert page.left is not None and "access_token" not in page.left


@pytest.mark.parametrize(
    "wrong", ["code token", "token code", "CODE", "Token", "code ", " code", "none", "id_token"]
)
async def test_A16_response_types_are_a_list_of_words(
    house: House, app: App, browser: Browser, wrong: str
) -> None:
    await house.allow(browser, app)
    page = await browser.open(house.authorize_url(app, response_type=wrong))
    assert page.status == 400 and page.left is None
    page = await browser.open(house.authorize_url(app) + "&response_type=token")
    assert page.status == 400 and page.left is None, "there twice"


async def test_A17_request_objects_are_not_looked_into(house: House, app: App, browser: Browser) -> None:
    inside = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZS8ifQ."
    for more in ({"request": inside}, {"request_uri": "https://evil.example/request"}):
        where = await house.allow(browser, app, **more)
        assert where.startswith(REGISTERED + "?code=")
        page = await browser.open(house.authorize_url(app, redirect_uri=None, **more))
        assert page.status == 400


async def test_A19_a_long_state_comes_back_and_a_longer_one_is_an_error(
    house: House, app: App, browser: Browser
) -> None:
    state = "s" * 4096
    assert parameters(await house.allow(browser, app, state=state))["state"] == state
    page = await browser.open(house.authorize_url(app, state=state + "s"))
    assert page.status == 400 and page.left is None
    page = await browser.open(house.authorize_url(app, state="s" * 9000))
    assert page.status == 414 and page.left is None


async def test_A20_who_is_not_logged_in_is_sent_nowhere(house: House, app: App) -> None:
    """An app cannot find out in the background whether somebody is logged in: classic does not know prompt=none."""
    for prompt in ("none", "login", "consent"):
        page = await house.browser().open(house.authorize_url(app, prompt=prompt))
        assert page.asks_login and page.left is None


async def test_A21_no_page_of_another_site_may_read_the_pages(
    house: House, app: App, browser: Browser
) -> None:
    origin = {"origin": "https://evil.example"}
    for url in (house.authorize_url(app), "/accounts/login/", "/accounts/edit/", "/developer/", "/"):
        for method in ("GET", "OPTIONS"):
            answer = await browser.ask(method, url, headers=origin)
            assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_A22_no_page_can_be_framed(house: House, app: App, browser: Browser) -> None:
    for url in (
        house.authorize_url(app),
        house.authorize_url(app, redirect_uri="x"),
        "/accounts/login/",
        "/",
    ):
        answer = await browser.ask("GET", url)
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_A23_the_confirmation_screen_says_who_asks_and_where_people_go(
    house: House, snoop: Person, browser: Browser
) -> None:
    app = await house.make_app("https://printer.example/cb", name="Photo Printer", sandbox=True, owner=snoop)
    page = await browser.open(house.authorize_url(app))
    for words in ("Photo Printer", "Snoop Dogg", "printer.example", "in development"):
        assert words in page.text


@pytest.mark.parametrize("profile", ["classic", "oauth20", "oauth21"])
async def test_A2_A23_a_link_alone_sends_nobody_to_an_app_s_site(house: House, profile: str) -> None:
    """RFC 9700 4.11.2: anybody can register an app; an error must not make a link to us one to a phishing site. Asking
    silently is its one exception, where today's apps can: it says login_required, and nothing else of anybody."""
    app = await house.make_app("https://phishing.example/", profile=profile)
    for change in (
        {"response_type": "nonsense"},
        {"response_type": None},
        {"scope": "nonsense"},
        {"code_challenge_method": "plain"},
        {"prompt": "login"},
        {"prompt": "none"} if profile == "classic" else {},  # silence is the exception that RFC 9700 makes
        {"scope": "basic " * 100 + " ".join(f"s{n}" for n in range(70))},
        {},
    ):
        page = await house.browser().open(house.authorize_url(app, **change))
        assert page.left is None and (page.asks_login or page.status == 400), change
    page = await house.browser().open(house.authorize_url(app, prompt="none", **PKCE))
    assert page.asks_login if profile == "classic" else "error=login_required" in (page.left or "")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE"])
async def test_A24_only_get_asks(house: House, app: App, browser: Browser, method: str) -> None:
    """GitHub 2019: HEAD was routed as the branch that grants."""
    await house.allow(browser, app)
    before = len(await house.store.connected_apps(house.people["snoopdogg"].account.id))
    answer = await browser.ask(method, house.authorize_url(app))
    assert answer.status_code == 405 and "location" not in answer.headers
    assert answer.headers["allow"] == "GET"
    page = await browser.open(house.authorize_url(app, scope="likes"))
    fields = page.consent_form.fields | {"decision": "allow"}
    for other in {method, "GET"} - {"POST"}:
        answer = await browser.ask(other, "/oauth/authorize/consent?" + urlencode(fields), data=fields)
        assert answer.status_code == 405 and "location" not in answer.headers
    assert len(await house.store.connected_apps(house.people["snoopdogg"].account.id)) == before


async def test_A8_nothing_that_is_sent_reaches_the_headers(house: House, app: App, browser: Browser) -> None:
    """A state with line breaks comes back encoded."""
    await house.allow(browser, app)
    cookie = f"__Host-valetkey={browser.session}".encode()
    for bad in ("\r\nSet-Cookie: a=b", "\n", "\x0b", "\u2028"):
        query = urlencode(
            {"client_id": app.id, "redirect_uri": REGISTERED, "response_type": "code", "state": bad}
        )
        for spelled in (query.encode(), query.replace(quote(bad, safe=""), bad).encode()):
            answer = await house.raw("GET", "/oauth/authorize", spelled, [(b"cookie", cookie)])
            assert answer.status in (302, 400)
            for name, value in answer.headers:
                assert name != b"set-cookie"
                assert not set(value) & set(b"\r\n\0\x0b\x80\xa8\xe2"), value
