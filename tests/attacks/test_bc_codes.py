"""B/C. Codes and tokens: stolen, replayed, raced for, guessed, downgraded, mistaken for one another."""

import asyncio
from collections import Counter
from itertools import pairwise

import httpx2
import pytest

from tests.flows.browser import Browser
from tests.flows.today import PKCE, VERIFIER
from tests.house import App, House, Person

NO_CODE = "Matching code was not found or was already used."


@pytest.fixture
async def app(house: House) -> App:
    return await house.make_app("https://app.example/cb", "https://app.example/other")


def check_refused(answer: httpx2.Response, message: str = NO_CODE) -> None:
    assert (answer.status_code, answer.json()["error_message"]) == (400, message)


async def test_C1_a_code_is_bound_to_client_and_redirect_uri(
    house: House, app: App, browser: Browser
) -> None:
    """Each condition alone refuses (CVE-2026-28513: an AND where an OR belonged)."""
    other = await house.make_app("https://app.example/cb", name="Other")
    code = await house.code(browser, app)
    theirs = {"client_id": other.id, "client_secret": other.secret}
    check_refused(await house.exchange(app, code, **theirs))
    differs = "Redirect URI doesn't match original redirect URI"
    for uri in ("https://app.example/other", "https://app.example/cb?x=y", "https://app.example/CB", "x"):
        check_refused(await house.exchange(app, code, redirect_uri=uri), differs)
    check_refused(await house.exchange(app, code, redirect_uri=None), "You must provide a redirect_uri")
    check_refused(await house.exchange(app, code, redirect_uri="https://app.example/other", **theirs))
    assert (await house.exchange(app, code)).status_code == 200


async def test_C2_a_replayed_code_ends_what_came_from_it(house: House, app: App, browser: Browser) -> None:
    code = await house.code(browser, app)
    token = (await house.exchange(app, code)).json()["access_token"]
    other = await house.token(browser, app)
    check_refused(await house.exchange(app, code))
    assert not await house.lives(token)
    assert await house.lives(other), "what came from another code stays"


async def test_C2_a_replay_long_after_still_revokes(house: House, app: App, browser: Browser) -> None:
    """A code is remembered as spent for as long as it could have been used, and it is never good again."""
    code = await house.code(browser, app)
    token = (await house.exchange(app, code)).json()["access_token"]
    house.clock.forward(3000)
    check_refused(await house.exchange(app, code))
    assert not await house.lives(token)


async def test_C3_fifty_at_once_and_one_wins(house: House, app: App, browser: Browser) -> None:
    """From two workers. And since the others are replays, what the one won is dead in the end (RFC 6749 4.1.2)."""
    other = await house.another_worker()
    for _ in range(3):
        code = await house.code(browser, app)
        tries = [(house, other)[turn % 2].exchange(app, code) for turn in range(50)]
        answers = await asyncio.gather(*tries)
        assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 49}
        for answer in answers:
            if answer.status_code == 400:
                check_refused(answer)
        (token,) = [answer.json()["access_token"] for answer in answers if answer.status_code == 200]
        assert not await house.lives(token) and not await other.lives(token)


async def test_C3_many_codes_at_once_do_not_mix(house: House, app: App, browser: Browser) -> None:
    other = await house.another_worker()
    codes = [await house.code(browser, app, scope=scope) for scope in ("basic", "likes", "comments") * 7]
    tries = [(house, other)[turn % 2].exchange(app, code) for turn, code in enumerate(codes)]
    tokens = [answer.json()["access_token"] for answer in await asyncio.gather(*tries)]
    assert len(set(tokens)) == len(codes)
    assert all(await asyncio.gather(*[house.lives(token) for token in tokens]))


async def test_C4_a_code_is_of_no_use_to_who_reads_it_later(house: House, app: App, browser: Browser) -> None:
    page = await browser.consent(await browser.open(house.authorize_url(app)), "allow")
    for name, value in {"referrer-policy": "no-referrer", "cache-control": "no-store"}.items():
        assert page.response.headers[name] == value
    login = await house.browser().open(house.authorize_url(app))
    assert "://" not in "".join(part for part in login.html.split('"') if part.startswith("http"))


async def test_C5_a_code_of_another_client_and_C11_of_another_grant(
    house: House, app: App, browser: Browser
) -> None:
    code = await house.code(browser, app)
    for grant in (
        "password",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
    ):
        answer = await house.exchange(app, code, grant_type=grant, username="snoopdogg", password="x")
        check_refused(answer, 'Only grant type "authorization_code" is allowed')
    today = await house.make_app(name="Today", profile="oauth20")
    for grant, error in (
        ("password", "unsupported_grant_type"),
        ("client_credentials", "unauthorized_client"),
    ):
        fields = house.exchange_fields(today, code, grant_type=grant, username="snoopdogg", password="x")
        answer = await house.http().post("/oauth/token", data=fields)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
    fields = house.exchange_fields(today, code)
    answer = await house.http().post("/oauth/token", data=fields)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), "a code of another client"


@pytest.mark.parametrize(("profile", "path", "lifetime"), [
    ("classic", "/oauth/access_token", 600),
    ("oauth20", "/oauth/token", 60),
    ("oauth21", "/oauth/token", 60),
])  # fmt: skip
async def test_C6_an_expired_code(
    house: House, browser: Browser, profile: str, path: str, lifetime: int
) -> None:
    app = await house.make_app(name="Slow", profile=profile)
    for late, status in ((lifetime - 1, 200), (lifetime, 400)):
        code = await house.code(browser, app, **PKCE)
        house.clock.forward(late)
        answer = await house.http().post(path, data=house.exchange_fields(app, code, code_verifier=VERIFIER))
        assert answer.status_code == status


async def test_C7_codes_and_tokens_cannot_be_guessed(house: House, app: App, browser: Browser) -> None:
    """128 random bits at least, and nothing that goes before says what comes next."""
    codes = [await house.code(browser, app) for _ in range(8)]
    tokens = [(await house.exchange(app, code)).json()["access_token"].partition(".")[2] for code in codes]
    for made in (codes, tokens):
        assert {len(value) for value in made} == {32}
        differing = [bin(int(a, 16) ^ int(b, 16)).count("1") for a, b in pairwise(made)]
        assert min(differing) > 30, "about half of the 128 bits"


async def test_C8_a_challenge_demands_its_verifier(house: House, app: App, browser: Browser) -> None:
    """CVE-2023-48228: the verifier was looked at only if it was there."""
    code = await house.code(browser, app, **PKCE)
    for verifier in (
        None,
        "",
        "x" * 43,
        VERIFIER.lower(),
        PKCE["code_challenge"],
        VERIFIER + "=",
        VERIFIER * 3,
    ):
        assert (await house.exchange(app, code, code_verifier=verifier)).status_code == 400
    assert (await house.exchange(app, code, code_verifier=VERIFIER)).status_code == 200


async def test_C9_a_verifier_without_a_challenge(house: House, app: App, browser: Browser) -> None:
    """CVE-2024-23647: an attacker strips the challenge, and the honest client's verifier is not looked at."""
    code = await house.code(browser, app)
    assert (await house.exchange(app, code, code_verifier=VERIFIER)).status_code == 400
    assert (await house.exchange(app, code)).status_code == 200


async def test_C10_only_S256(house: House, app: App, browser: Browser) -> None:
    await house.allow(browser, app)
    challenge = PKCE["code_challenge"]
    for method in ("plain", "s256", "S512", "none", ""):
        page = await browser.open(
            house.authorize_url(app, code_challenge=challenge, code_challenge_method=method)
        )
        assert page.status == 400 and page.left is None, method
    page = await browser.open(house.authorize_url(app, code_challenge_method="S256"))
    assert page.status == 400 and page.left is None
    code = await house.code(browser, app, **PKCE)
    more = {"code_verifier": challenge, "code_challenge_method": "plain", "code_challenge": challenge}
    assert (await house.exchange(app, code, **more)).status_code == 400, "the method is not chosen here"


async def test_C12_a_token_request_widens_nothing(house: House, browser: Browser) -> None:
    app = await house.make_app(name="Today", profile="oauth20")
    code = await house.code(browser, app, scope="likes")
    answer = await house.http().post(
        "/oauth/token", data=house.exchange_fields(app, code, scope="likes basic")
    )
    assert answer.json().get("scope", "likes") == "likes"
    assert not await house.lives(answer.json()["access_token"]), "still without basic"


async def test_C17_nothing_is_taken_for_something_else(
    house: House, app: App, browser: Browser, snoop: Person
) -> None:
    """A code, a session id, a ticket, a secret or a form's token is no access token, and none of them is a code."""
    token = await house.token(browser, app)
    code = await house.code(browser, app)
    page = await browser.open(house.authorize_url(app, scope="likes"))
    form = page.consent_form.fields
    others = [code, browser.session, form["ticket"], form["csrf"], app.secret, app.id, str(snoop.account.id)]
    for other in others:
        assert not await house.lives(other or "")
    for other in (token, *others[1:]):
        check_refused(await house.exchange(app, other or ""))
    for other in (token, code, form["ticket"], app.secret or ""):
        stranger = house.browser()
        stranger.cookies["__Host-valetkey"] = other
        assert (await stranger.open("/accounts/edit/")).asks_login
    for other in (token, code, browser.session or ""):
        fields = form | {"ticket": other, "decision": "allow"}
        answer = await browser.ask("POST", "/oauth/authorize/consent", data=fields)
        assert answer.status_code == 400 and "location" not in answer.headers
