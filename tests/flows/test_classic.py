"""The origin document, sentence by sentence, against the whole server. Quotes are the document's own words."""

import re
from urllib.parse import quote

import pytest

from tests.house import PASSWORD, House, fragment, multipart, parameters

DENIED = "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request"


async def test_d1_d2_the_steps_of_receiving_an_access_token(house: House) -> None:
    """'1. Direct the user to our authorization url. 2. If the user is not logged in, they will be asked to log in.
    The user will be asked if they would like to grant your application access to her Instagram data. The server will
    redirect the user in one of two ways that you choose'"""
    snoop, app = await house.make_account(), await house.make_app(name="Photo Printer")
    browser = house.browser()
    page = await browser.open(
        f"/oauth/authorize/?client_id={app.id}&redirect_uri={app.redirect_uri}&response_type=code"
    )
    assert page.status == 200 and page.asks_login
    page = await browser.login(page, snoop.username, snoop.password)
    assert page.status == 200 and page.asks_consent
    assert "Photo Printer" in page.text, "the confirmation screen names the app"
    assert "See your profile" in page.text, "and what it may do"
    page = await browser.consent(page, "allow")
    assert page.left is not None and page.left.startswith(app.redirect_uri)


async def test_d2_who_is_logged_in_is_not_asked_to_log_in(house: House) -> None:
    """'If the user is not logged in, they will be asked to log in.'"""
    snoop, app = await house.make_account(), await house.make_app()
    browser = await house.logged_in(snoop)
    page = await browser.open(house.authorize_url(app))
    assert page.asks_consent and not page.asks_login


async def test_d2_a_wrong_password_leads_nowhere_and_a_right_one_goes_on(house: House) -> None:
    """'we present the user with a login screen and then a confirmation screen'"""
    snoop, app = await house.make_account(), await house.make_app()
    browser = house.browser()
    page = await browser.open(house.authorize_url(app, state="kept"))
    page = await browser.login(page, snoop.username, "not the password")
    assert page.status == 400 and page.asks_login and browser.session is None
    page = await browser.login(page, snoop.username, PASSWORD)
    assert page.asks_consent
    page = await browser.consent(page, "allow")
    assert parameters(page.left or "")["state"] == "kept", "the request is the one that was begun with"


async def test_d3_the_server_side_flow(house: House) -> None:
    """'Once a user authorizes your application, we issue a redirect to your redirect_uri with a code parameter to use
    in step three. http://your-redirect-uri?code=CODE'"""
    app = await house.make_app("http://your-redirect-uri")
    browser = await house.logged_in(await house.make_account())
    where = await house.allow(browser, app)
    assert re.fullmatch(r"http://your-redirect-uri\?code=[0-9a-f]{32}", where)


async def test_d3_a_redirect_uri_with_a_query_gets_the_code_behind_it(house: House) -> None:
    """'You may also include additional query parameters in the supplied redirect_uri, if you need to vary your
    behavior dynamically.'"""
    app = await house.make_app("http://yourcallback.com/?this=that")
    browser = await house.logged_in(await house.make_account())
    where = await house.allow(browser, app)
    assert re.fullmatch(r"http://yourcallback\.com/\?this=that&code=[0-9a-f]{32}", where)
    where = await house.allow(browser, app, redirect_uri="http://yourcallback.com/?this=that&another=true")
    assert re.fullmatch(r"http://yourcallback\.com/\?this=that&another=true&code=[0-9a-f]{32}", where)


async def test_d1_d4_the_implicit_flow(house: House) -> None:
    """'Note that unlike the explicit flow the response type here is "token". ... Instagram redirects them to your
    redirect_uri with the access_token in the url fragment. It will look like this:
    http://your-redirect-uri#access_token=ACCESS-TOKEN'"""
    snoop, app = (
        await house.make_account(),
        await house.make_app("http://your-redirect-uri", type="spa", allow_implicit=True),
    )
    browser = house.browser()
    page = await browser.open(
        f"/oauth/authorize/?client_id={app.id}&redirect_uri=http://your-redirect-uri&response_type=token"
    )
    assert page.asks_login, "'At this point, we present the user with a login screen'"
    page = await browser.login(page, snoop.username, snoop.password)
    assert page.asks_consent, "'and then a confirmation screen where they grant your app's access'"
    page = await browser.consent(page, "allow")
    assert re.fullmatch(r"http://your-redirect-uri#access_token=[0-9a-f]{7}\.[0-9a-f]{32}", page.left or "")


async def test_d4_grab_the_token_off_the_fragment(house: House) -> None:
    """'Simply grab the access_token off the URL fragment and you're good to go.'"""
    snoop, app = await house.make_account(), await house.make_app(allow_implicit=True)
    where = await house.allow(await house.logged_in(snoop), app, response_type="token")
    token = fragment(where).removeprefix("access_token=")
    assert (await house.me(token)).json()["data"]["username"] == "snoopdogg"


@pytest.mark.parametrize("response_type", ["code", "token"])
async def test_d5_the_user_denies(house: House, response_type: str) -> None:
    """'http://your-redirect-uri?error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+
    request', and in the implicit flow: 'If the user chooses not to authorize your application, you'll receive the
    same error response as in the explicit flow'"""
    app = await house.make_app("http://your-redirect-uri", allow_implicit=True)
    browser = await house.logged_in(await house.make_account())
    page = await browser.open(house.authorize_url(app, response_type=response_type))
    page = await browser.consent(page, "deny")
    assert page.left == f"http://your-redirect-uri?{DENIED}"


@pytest.mark.parametrize("response_type", ["code", "token"])
async def test_d5_a_denial_carries_the_state_and_the_extra_query(house: House, response_type: str) -> None:
    """'If your request for approval is denied by the user, then we will redirect the user to your redirect_uri with
    the following parameters'"""
    app = await house.make_app("http://yourcallback.com/", allow_implicit=True)
    browser = await house.logged_in(await house.make_account())
    asked = {"redirect_uri": "http://yourcallback.com/?this=that", "response_type": response_type}
    page = await browser.open(house.authorize_url(app, state="a b", **asked))
    page = await browser.consent(page, "deny")
    assert page.left == f"http://yourcallback.com/?this=that&{DENIED}&state=a+b"


async def test_d5_who_said_no_is_asked_again(house: House) -> None:
    """A no is an answer to one question; nothing was granted and nothing is remembered."""
    app = await house.make_app()
    browser = await house.logged_in(await house.make_account())
    await browser.consent(await browser.open(house.authorize_url(app)), "deny")
    assert (await browser.open(house.authorize_url(app))).asks_consent
    assert "No app can use your account" in (await browser.open("/accounts/manage_access/")).text


async def test_d6_scope_is_optional_and_basic_is_the_default(house: House) -> None:
    """'You may provide an optional scope parameter to request additional permissions outside of the "basic"
    permissions scope.'"""
    app = await house.make_app()
    browser = await house.logged_in(await house.make_account())
    page = await browser.open(house.authorize_url(app))
    assert "See your profile" in page.text and "comments" not in page.text
    page = await browser.open(house.authorize_url(app, scope="likes comments"))
    for words in ("See your profile", "Like and unlike things", "Write and delete comments"):
        assert words in page.text
    token = await house.token(browser, app, scope="likes comments")
    assert (await house.me(token)).status_code == 200, "basic is there although it was not asked for"


@pytest.mark.parametrize(
    "state",
    [
        "xyz",
        "a+b",
        "a%20b",
        "%7B%22a%22%3A1%7D",
        "%C3%A9%E2%82%AC",
        "~._-!$'()*,;=:@/?",
        "%2B%2b%26%3D%23",
        "x" * 2048,
        "0",
    ],
)
async def test_d7_state_is_carried_through(house: House, state: str) -> None:
    """'You may provide an optional state parameter to carry through a server-specific state. For example, you can
    use this to protect against CSRF issues.' Byte for byte: in the spelling it came in."""
    app = await house.make_app(allow_implicit=True)
    browser = await house.logged_in(await house.make_account())
    url = house.authorize_url(app)
    page = await browser.open(f"{url}&state={state}")
    page = await browser.consent(page, "allow")
    assert (page.left or "").endswith(f"&state={state}")
    page = await browser.open(f"{url.replace('=code', '=token')}&state={state}")
    page = await browser.consent(page, "allow")
    assert f"?state={state}#access_token=" in (page.left or "")
    page = await browser.open(f"{url.replace('=code', '=token')}&state={state}")
    page = await browser.consent(page, "deny")
    assert (page.left or "").endswith(f"&state={state}")


@pytest.mark.parametrize("raw", ['{"a":1}', "a|b", "<b>", "a^b`c"])
async def test_d7_a_state_that_may_not_stand_in_an_address_comes_back_encoded(house: House, raw: str) -> None:
    """'carry through a server-specific state': the value is the same, and the address stays one."""
    app = await house.make_app()
    browser = await house.logged_in(await house.make_account())
    await house.allow(browser, app)
    query = f"client_id={app.id}&redirect_uri={app.redirect_uri}&response_type=code&state={raw}"
    cookie = f"__Host-valetkey={browser.session}"
    answer = await house.raw("GET", "/oauth/authorize", query.encode(), [(b"cookie", cookie.encode())])
    assert answer.status == 302
    where = answer.header("location") or ""
    assert where.endswith(f"&state={quote(raw, safe='')}") and parameters(where)["state"] == raw


# REGISTERED REDIRECT URI | REDIRECT_URI PARAMETER PASSED TO /AUTHORIZE | VALID?
TABLE = [
    ("http://yourcallback.com/", "http://yourcallback.com/", "yes"),
    ("http://yourcallback.com/", "http://yourcallback.com/?this=that", "yes"),
    ("http://yourcallback.com/?this=that", "http://yourcallback.com/", "no"),
    ("http://yourcallback.com/?this=that", "http://yourcallback.com/?this=that&another=true", "yes"),
    ("http://yourcallback.com/?this=that", "http://yourcallback.com/?another=true&this=that", "no"),
    ("http://yourcallback.com/callback", "http://yourcallback.com/", "no"),
    ("http://yourcallback.com/callback", "http://yourcallback.com/callback?type=mobile", "yes"),
]


@pytest.mark.parametrize(("registered", "passed", "valid"), TABLE)
async def test_d8_the_table_of_redirect_uris(house: House, registered: str, passed: str, valid: str) -> None:
    """'Note that the host and path components of your redirect URI must match exactly (including trailing slashes)
    your registered redirect_uri. You may also include additional query parameters in the supplied redirect_uri'"""
    app = await house.make_app(registered, allow_implicit=True)
    snoop = await house.make_account()
    if valid == "no":
        for browser in (house.browser(), await house.logged_in(snoop)):
            page = await browser.open(house.authorize_url(app, redirect_uri=passed))
            assert page.status == 400 and page.left is None and not page.asks_login
            assert page.url.startswith("https://id.example/oauth/authorize/"), "nobody is sent anywhere"
        return
    browser = await house.logged_in(snoop)
    before = passed + ("&" if "?" in passed else "?")
    where = await house.allow(browser, app, redirect_uri=passed)
    assert re.fullmatch(re.escape(before) + "code=[0-9a-f]{32}", where)
    where = await house.allow(browser, app, redirect_uri=passed, response_type="token")
    assert re.fullmatch(re.escape(passed) + "#access_token=[0-9a-f.]{40}", where)


async def test_d9_d10_the_sample_request(house: House) -> None:
    """'you simply have to POST this code, along with some app identification parameters, to our access_token
    endpoint ... curl -F client_id=CLIENT_ID -F client_secret=CLIENT_SECRET -F grant_type=authorization_code
    -F redirect_uri=AUTHORIZATION_REDIRECT_URI -F code=CODE ... If successful, this call will return a neatly
    packaged OAuth Token ... We also include the user who just authenticated for your convenience'"""
    snoop, app = await house.make_account("snoopdogg", "Snoop Dogg"), await house.make_app()
    code = await house.code(await house.logged_in(snoop), app)
    body, content_type = multipart(house.exchange_fields(app, code))
    answer = await house.raw("POST", "/oauth/access_token", b"", [(b"content-type", content_type)], body)
    assert answer.status == 200
    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") == "no-store"
    said = answer.json()
    assert list(said) == ["access_token", "user"]
    assert list(said["user"]) == ["id", "username", "full_name", "profile_picture"]
    assert re.fullmatch(app.id[:7] + r"\.[0-9a-f]{32}", said["access_token"])
    assert said["user"]["id"] == str(snoop.account.id) and said["user"]["id"].isdecimal()
    assert said["user"]["username"] == "snoopdogg" and said["user"]["full_name"] == "Snoop Dogg"
    assert said["user"]["profile_picture"].startswith("https://id.example/")


async def test_d9_the_redirect_uri_is_the_one_of_the_authorization_request(house: House) -> None:
    """'redirect_uri: the redirect_uri you used in the authorization request. Note: this has to be the same value as
    in the authorization request.'"""
    app = await house.make_app("http://yourcallback.com/")
    browser = await house.logged_in(await house.make_account())
    used = "http://yourcallback.com/?this=that"
    for other in ("http://yourcallback.com/", used + "&another=true", used + "&", used.upper()):
        code = await house.code(browser, app, redirect_uri=used)
        answer = await house.exchange(app, code, redirect_uri=other)
        assert answer.status_code == 400, other
        assert answer.json()["error_message"] == "Redirect URI doesn't match original redirect URI"
        answer = await house.exchange(app, code, redirect_uri=used)
        assert answer.status_code == 200, "a mistake does not cost the code"


async def test_d9_authorization_code_is_the_only_grant_type(house: House) -> None:
    """'grant_type: authorization_code is currently the only supported value'"""
    app = await house.make_app()
    browser = await house.logged_in(await house.make_account())
    code = await house.code(browser, app)
    for other in ("password", "refresh_token", "client_credentials", "Authorization_Code", "implicit"):
        answer = await house.exchange(app, code, grant_type=other)
        assert answer.status_code == 400
        assert answer.json()["error_message"] == 'Only grant type "authorization_code" is allowed'
    assert (await house.exchange(app, code)).status_code == 200


async def test_d9_the_exact_code(house: House) -> None:
    """'code: the exact code you received during the authorization step.'"""
    app = await house.make_app()
    code = await house.code(await house.logged_in(await house.make_account()), app)
    for other in (code.upper(), code + " ", " " + code, code[:-1], code + "0", "0" * 32):
        answer = await house.exchange(app, other)
        assert answer.status_code == 400
        assert answer.json()["error_message"] == "Matching code was not found or was already used."
    assert (await house.exchange(app, code)).status_code == 200


async def test_d11_the_token_is_for_calls_to_the_api(house: House) -> None:
    """'a neatly packaged OAuth Token that you can use to make authenticated calls to the API'"""
    app = await house.make_app()
    token = await house.token(await house.logged_in(await house.make_account()), app)
    assert (await house.me(token)).json()["data"]["username"] == "snoopdogg"
    answer = await house.http().get("/v1/users/self", headers={"authorization": f"Bearer {token}"})
    assert answer.json()["data"]["username"] == "snoopdogg"


async def test_d12_an_app_without_a_server_never_holds_a_secret(house: House) -> None:
    """'If you are building an app that does not have a server component ... You should never pass or store your
    client_id secret onto a client. For these situations there is the Implicit Authentication Flow.'"""
    snoop, developer = await house.make_account(), await house.make_account("developer")
    browser = await house.logged_in(developer)
    page = await browser.fill(
        "/developer/register/",
        "/developer/register/",
        name="Pure JavaScript",
        type="spa",
        profile="classic",
        redirect_uris="http://your-redirect-uri",
        sandbox=None,
    )
    assert page.status == 200 and "no secret" in page.text and "vk_cs_" not in page.html
    client = (await house.store.clients_of(developer.account.id))[0]
    assert client.secrets == () and client.allow_implicit
    person = await house.logged_in(snoop)
    query = f"client_id={client.id}&redirect_uri=http://your-redirect-uri&response_type=token"
    page = await person.consent(await person.open(f"/oauth/authorize/?{query}"), "allow")
    assert (page.left or "").startswith("http://your-redirect-uri#access_token=")


async def test_d13_the_server_side_flow_is_the_recommended_one(house: House) -> None:
    """'Server-side flow (recommended) ... Implicit flow: ... This method is less secure, but allows applications
    without any server component to receive an access_token.'"""
    developer = await house.make_account("developer")
    app = await house.make_app(owner=developer)
    assert not app.client.allow_implicit, "a new app with a server begins without the implicit flow"
    browser = await house.logged_in(developer)
    page = await browser.open(f"/developer/apps/{app.id}/")
    form = page.form("/settings/")
    assert form.fields["disable_implicit"] == "yes"
    assert "The server-side flow is the recommended one" in page.text
    await browser.submit(page, form, {"disable_implicit": None})
    assert (await house.store.client(app.id) or app.client).allow_implicit
