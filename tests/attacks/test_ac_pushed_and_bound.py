"""A17-A20, C14-C16: requests that others push, change or use again; tokens and proofs in the wrong hands (FAPI 2.0)."""

import asyncio
import secrets
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from tests.flows.browser import Browser
from tests.flows.questions import registered, told
from tests.flows.today import ME, PKCE, TOKEN, address, bound_token, call, push, pushed, redeem
from tests.house import ONE_STORE, SITE, App, House, parameters
from tests.proofs import Prover
from tests.signing import unsigned
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Registration
from valetkey.protocol.rules.pushed_request import LIFETIME, URN

pytestmark = ONE_STORE


async def stopped(browser: Browser, url: str) -> None:
    """The person is shown an error here, and sent nowhere."""
    page = await browser.open(url)
    assert page.status == 400 and page.left is None, url


async def test_A17_only_what_was_pushed_counts(house: House, app: App, browser: Browser) -> None:
    beside = {
        "redirect_uri": "https://evil.example/", "scope": "relationships", "state": "evil", "response_type": "token",
        "code_challenge": "x" * 43, "prompt": "none", "resource": "https://evil.example/", "dpop_jkt": "x" * 43,
    }  # fmt: skip
    page = await browser.open(address(app, await pushed(house, app), **beside))
    assert page.asks_consent and "Follow and unfollow" not in page.text
    page = await browser.consent(page, "allow")
    said = parameters(page.left or "")
    assert (page.left or "").startswith(app.redirect_uri) and said["state"] == "s t"
    assert (await redeem(house, app, said["code"])).status_code == 200, "the challenge is the pushed one"


async def test_A17_no_other_secret_passes_for_a_request_uri(house: House, app: App, browser: Browser) -> None:
    code = await house.code(browser, app, **PKCE)
    body = (await redeem(house, app, code)).json()
    consent = await browser.open(house.authorize_url(app, scope="likes", **PKCE))
    ticket = consent.consent_form.fields["ticket"]
    uri = await pushed(house, app)
    for other in (code, body["access_token"], body["refresh_token"], ticket, browser.session or ""):
        await stopped(browser, address(app, other))
        await stopped(browser, address(app, URN + other))
    for other in (uri[:-1], uri + "A", uri.upper(), URN, uri.replace(URN, ""), uri + "\n", " " + uri):
        await stopped(browser, address(app, other))
    form = consent.consent_form
    for stolen in (uri, uri.removeprefix(URN)):
        page = await browser.submit(consent, form, {"ticket": stolen, "decision": "allow"})
        assert page.status == 400 and page.left is None


async def test_A17_guessing(house: House, app: App, browser: Browser) -> None:
    uris = {await pushed(house, app) for _ in range(50)}
    assert len(uris) == 50 and {len(uri) for uri in uris} == {len(URN) + 43}, "256 bits each"
    for _ in range(50):
        await stopped(browser, address(app, URN + secrets.token_urlsafe(32)))


async def test_A17_used_once_in_its_time_by_its_client(house: House, app: App, browser: Browser) -> None:
    other = await house.make_app(profile="oauth21", name="Other")
    uri, late = await pushed(house, app), await pushed(house, app)
    await stopped(browser, address(other, uri))
    assert (await browser.consent(await browser.open(address(app, uri)), "allow")).left
    await stopped(browser, address(app, uri))
    house.clock.forward(LIFETIME)
    await stopped(browser, address(app, late))


async def test_A17_nothing_outside_is_fetched(
    house: House, app: App, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2020-10770, CVE-2026-4366: neither at the authorization endpoint nor pushed."""

    async def never(*_: Any) -> Any:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(house.server.fetch, "out", never)
    for uri in ("https://evil.example/r", "http://169.254.169.254/latest", "file:///etc/passwd", "//evil"):
        await stopped(browser, address(app, uri, redirect_uri=app.redirect_uri, **PKCE))
        answer = await push(house, app, request_uri=uri)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_A17_a_request_object_signed_by_nobody(house: House, app: App) -> None:
    asked = {"iss": app.id, "aud": SITE, "redirect_uri": app.redirect_uri, "response_type": "code"} | PKCE
    for algorithm in ("none", "None", "NONE", "HS256", ""):
        answer = await push(house, app, request=unsigned(asked, algorithm))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request_object")


async def test_A18_the_browser_carries_nothing_that_could_be_changed(house: House, app: App) -> None:
    """And nothing that could be read: no parameter stands in an address or a cookie (CVE-2024-4540)."""
    browser = house.browser()
    uri = await pushed(house, app, scope="basic likes", state="s3cr3t-state")
    answer = await browser.ask("GET", address(app, uri))
    assert answer.status_code == 302
    for text in ("s3cr3t", "likes", "callback", PKCE["code_challenge"]):
        assert text not in answer.headers["location"] and text not in str(answer.headers)


async def test_A19_any_state_comes_back_as_it_was_pushed(house: House, app: App, browser: Browser) -> None:
    for state in ("x" * 2000, "a b&c=d#e", "%41+%2B", "<script>", "é\u202e", "\r\nSet-Cookie: a=b"):
        page = await browser.open(address(app, await pushed(house, app, state=state)))
        if page.left is None:
            page = await browser.consent(page, "allow")
        assert parameters(page.left or "")["state"] == state
        assert (page.left or "").isascii() and "\r" not in (page.left or "")


async def test_A20_nobody_learns_who_is_logged_in(house: House, app: App, browser: Browser) -> None:
    """Without the person's yes the answers differ in a word, at the trusted redirect_uri alone."""
    silent = {"prompt": "none"} | PKCE
    for who in (browser, house.browser()):
        await stopped(who, house.authorize_url(app, redirect_uri="https://evil.example/", **silent))
        await stopped(who, house.authorize_url(app, client_id="f" * 32, **silent))
        page = await who.open(house.authorize_url(app, **silent))
        assert (page.left or "").startswith(app.redirect_uri + "?")
        assert parameters(page.left or "")["error"] in ("login_required", "consent_required")
    spa = await house.make_app(profile="oauth21", type="spa", name="Browser app")
    await house.allow(browser, spa, **PKCE)
    page = await browser.open(house.authorize_url(spa, **silent))
    assert parameters(page.left or "")["error"] == "consent_required", "it could be anybody's page"
    head = await browser.ask("HEAD", house.authorize_url(app, **silent))
    assert head.status_code == 405


async def test_C14_a_server_that_was_named_cannot_use_the_token_elsewhere(
    house: House, app: App, browser: Browser
) -> None:
    evil = "https://evil.example/"
    code = await house.code(browser, app, resource=evil, **PKCE)
    body = (await redeem(house, app, code)).json()
    assert not await house.lives(body["access_token"])
    assert (await told(house, app, body["access_token"]))["aud"] == evil
    api = await registered(house, introspects=True)
    assert await told(house, api, body["access_token"]) == {"active": False}, "it is not meant for it"


async def test_C15_what_a_thief_can_do_with_a_bound_token(
    house: House, app: App, browser: Browser, key: Prover
) -> None:
    token, now = await bound_token(house, browser, app, key), house.clock()
    assert (await told(house, app, token))["cnf"] == {"jkt": key.jkt}, "other servers can tell, too"
    thief = Prover()
    for scheme, proof in (
        ("Bearer", None),
        ("DPoP", None),
        ("DPoP", thief.proof(ME, now, "GET", token)),
        ("DPoP", thief.proof(ME, now, "GET", token, header={"jwk": key.signer.jwk})),
        (
            "DPoP",
            thief.proof(ME, now, "GET", token, header={"jwk": key.signer.jwk | {"kid": "x"}, "kid": "x"}),
        ),
        ("DPoP", key.proof("https://evil.example/v1/users/self", now, "GET", token)),
        ("DPoP", key.proof(ME + "/../self", now, "GET", token)),
        ("DPoP", key.proof(ME.upper(), now, "GET", token)),
    ):
        assert (await call(house, token, proof, scheme)).status_code == 401, (scheme, proof)
    both = {"authorization": f"DPoP {token}", "dpop": key.proof(ME, now, "GET", token)}
    answer = await house.http().get("/v1/users/self", headers=both, params={"access_token": token})
    assert answer.status_code == 400, "in two places"


async def test_C15_a_stolen_code_is_of_no_use_without_the_key(
    house: House, app: App, browser: Browser, key: Prover
) -> None:
    """FAPI attacker A5, who sees the token request but not the key; and the honest app still gets its token."""
    told_ = Registration(dpop_bound_access_tokens=True)
    await house.store.apply((Save(replace(app.client, registered=told_, version=2)),))
    code = await house.code(browser, app, dpop_jkt=key.jkt, **PKCE)
    for proof in (None, Prover().proof(TOKEN, house.clock())):
        answer = await redeem(house, app, code, dpop=proof)
        assert answer.status_code == 400
    assert (await redeem(house, app, code, dpop=key.proof(TOKEN, house.clock()))).status_code == 200


async def test_C16_strangers_fill_no_memory(house: House, app: App, key: Prover) -> None:
    """Only a proof beside a client that authenticated, or a living token that is bound to its key, is remembered."""
    now = house.clock()
    await house.store.clean(now + 10**6, 10**6)
    for n in range(20):
        proof = key.proof(TOKEN, now, jti=f"flood-{n}-" + "x" * 200)
        fields = {
            "client_id": app.id,
            "client_secret": "wrong",
            "grant_type": "authorization_code",
            "code": "x",
        }
        answer = await house.http().post("/oauth/token", data=fields, headers={"dpop": proof})
        assert answer.status_code == 401
        proof = key.proof(f"{SITE}/oauth/par", now)
        answer = await house.http().post("/oauth/par", data={"client_id": app.id}, headers={"dpop": proof})
        assert answer.status_code == 401
        assert (await call(house, "vk_at_x", key.proof(ME, now, "GET", "vk_at_x"))).status_code == 401
    assert await house.store.clean(now + 10**6, 10**6) == 0


async def test_C16_a_jti_is_one_of_its_key_and_of_its_time(
    house: House, app: App, browser: Browser, key: Prover
) -> None:
    token, now = await bound_token(house, browser, app, key), house.clock()
    other = Prover()
    mine = await call(house, token, key.proof(ME, now, "GET", token, jti="same"))
    assert mine.status_code == 200
    token2 = await bound_token(house, browser, app, other)
    theirs = await call(house, token2, other.proof(ME, now, "GET", token2, jti="same"))
    assert theirs.status_code == 200, "nobody uses up the jti of somebody else"
    assert (await call(house, token, key.proof(ME, now + 1, "GET", token, jti="same"))).status_code == 401
    house.clock.forward(200)
    assert (await call(house, token, key.proof(ME, now, "GET", token, jti="new"))).status_code == 401


async def test_C16_of_racers_one_wins_also_after_a_restart(
    house: House, app: App, browser: Browser, key: Prover
) -> None:
    token, now = await bound_token(house, browser, app, key), house.clock()
    proof = key.proof(ME, now, "GET", token)
    workers = [house, *[await house.another_worker() for _ in range(3)]]
    answers = await asyncio.gather(*(call(each, token, proof) for each in workers * 3))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 11
    later = await house.another_worker()
    assert (await call(later, token, proof)).status_code == 401


async def test_F5322_answers_that_browsers_cannot_send_on(house: House, app: App, browser: Browser) -> None:
    """302, never 307 (A11); no-store; one client, one address."""
    url = address(app, await pushed(house, app))
    page = await browser.open(url)
    answer = await browser.ask("GET", url + "&" + urlencode({"client_id": app.id}))
    assert answer.status_code == 400, "no name twice"
    page = await browser.consent(page, "deny")
    assert page.left is not None and page.response.status_code == 302
    assert page.response.headers["cache-control"] == "no-store"
