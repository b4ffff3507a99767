"""DPoP from both ends: a token that is of no use to its thief (RFC 9449)."""

import asyncio
from typing import Any

import httpx2

from tests.flows.browser import Browser
from tests.flows.today import ME, PAR, PKCE, TOKEN, address, bound_token, call, push, redeem
from tests.house import ONE_STORE, App, Build, House, parameters
from tests.proofs import Prover
from valetkey.server.nonces import SLOT
from valetkey.settings import DpopSettings


async def test_the_whole_flow(house: House, app: App, browser: Browser, key: Prover) -> None:
    token = await bound_token(house, browser, app, key)
    now = house.clock()
    answer = await call(house, token, key.proof(ME, now, "GET", token))
    assert answer.status_code == 200 and answer.json()["data"]["username"] == "snoopdogg"
    assert "dpop-nonce" not in answer.headers
    for scheme in ("dpop", "dPOP", "DPOP"):
        assert (await call(house, token, key.proof(ME, now, "GET", token), scheme)).status_code == 200


async def test_a_thief_has_no_use_for_it(house: House, app: App, browser: Browser, key: Prover) -> None:
    """C15: neither without a proof, nor as a Bearer token, nor with a proof of another key, call or token."""
    token, now = await bound_token(house, browser, app, key), house.clock()
    proof = key.proof(ME, now, "GET", token)
    assert (await call(house, token, proof)).status_code == 200
    for scheme, sent, code in (
        ("Bearer", None, "invalid_token"),
        ("Bearer", key.proof(ME, now, "GET", token), "invalid_token"),
        ("DPoP", None, "invalid_dpop_proof"),
        ("DPoP", proof, "invalid_dpop_proof"),
        ("DPoP", Prover().proof(ME, now, "GET", token), "invalid_token"),
        ("DPoP", key.proof(ME, now, "POST", token), "invalid_dpop_proof"),
        ("DPoP", key.proof(ME + "s", now, "GET", token), "invalid_dpop_proof"),
        ("DPoP", key.proof(ME, now, "GET", token + "x"), "invalid_dpop_proof"),
        ("DPoP", key.proof(ME, now, "GET"), "invalid_dpop_proof"),
        ("DPoP", key.proof(ME, now - 61, "GET", token), "invalid_dpop_proof"),
        ("DPoP", key.proof(TOKEN, now), "invalid_dpop_proof"),
    ):
        answer = await call(house, token, sent, scheme)
        assert answer.status_code == 401, (scheme, sent)
        assert answer.headers["www-authenticate"].startswith(f'DPoP error="{code}"')
        assert 'algs="' in answer.headers["www-authenticate"]
    answer = await house.http().get("/v1/users/self", params={"access_token": token})
    assert answer.status_code == 400, "never in the query"


async def test_a_bearer_token_does_not_become_a_bound_one(
    house: House, app: App, browser: Browser, key: Prover
) -> None:
    answer = await redeem(house, app, await house.code(browser, app, **PKCE))
    token = answer.json()["access_token"]
    assert answer.json()["token_type"] == "Bearer"
    assert await house.lives(token)
    assert (await call(house, token, key.proof(ME, house.clock(), "GET", token))).status_code == 401


async def test_a_proof_is_good_once_in_all_workers(
    house: House, app: App, browser: Browser, key: Prover
) -> None:
    """C16."""
    other = await house.another_worker()
    token, now = await bound_token(house, browser, app, key), house.clock()
    for _ in range(3):
        proof = key.proof(ME, now, "GET", token)
        answers = await asyncio.gather(*(call(each, token, proof) for each in (house, other) * 4))
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
        codes = [await house.code(browser, app, **PKCE) for _ in range(4)]
        proof = key.proof(TOKEN, now)
        tries = zip((house, other) * 2, codes, strict=True)
        answers = await asyncio.gather(*(redeem(each, app, code, dpop=proof) for each, code in tries))
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
        assert {answer.json().get("error") for answer in answers} == {None, "invalid_dpop_proof"}
    house.clock.forward(200)
    await house.store.clean(house.clock(), 1000)
    assert (await call(house, token, proof)).status_code == 401, "forgotten, and too old by then"


async def test_a_code_bound_to_a_key(house: House, app: App, browser: Browser, key: Prover) -> None:
    now, other = house.clock(), Prover()
    for named, proves in ((key.jkt, False), (None, True), (key.jkt, True)):
        answer = await push(house, app, dpop_jkt=named, dpop=key.proof(PAR, now) if proves else None)
        assert answer.status_code == 201, answer.text
        page = await browser.open(address(app, answer.json()["request_uri"]))
        if page.left is None:
            page = await browser.consent(page, "allow")
        code = parameters(page.left or "")["code"]
        for proof in (None, other.proof(TOKEN, now)):
            no = await redeem(house, app, code, dpop=proof)
            assert (no.status_code, no.json()["error"]) == (400, "invalid_grant")
        assert (await redeem(house, app, code, dpop=key.proof(TOKEN, now))).status_code == 200
    answer = await push(house, app, dpop_jkt=other.jkt, dpop=key.proof(PAR, now))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert (await push(house, app, dpop_jkt="x")).json()["error"] == "invalid_request"


async def test_an_app_that_wants_bound_tokens_only(
    house: House, app: App, browser: Browser, key: Prover
) -> None:
    await house.registered(app, dpop_bound_access_tokens=True)
    code = await house.code(browser, app, **PKCE)
    no = await redeem(house, app, code)
    assert (no.status_code, no.json()["error"]) == (400, "invalid_request")
    assert (await redeem(house, app, code, dpop=key.proof(TOKEN, house.clock()))).status_code == 200


async def test_bad_proofs_are_the_senders_fault(house: House, app: App, browser: Browser) -> None:
    code = await house.code(browser, app, **PKCE)
    for proof in ("x", "a.b.c", "é".encode(), "x" * 9000, "."):
        no = await redeem(house, app, code, dpop=proof)  # type: ignore[arg-type]
        assert (no.status_code, no.json()["error"]) == (400, "invalid_dpop_proof"), no.text
    twice = [(b"dpop", b"a"), (b"dpop", b"b"), (b"content-type", b"application/x-www-form-urlencoded")]
    for path in ("/oauth/token", "/oauth/par"):
        assert (await house.raw("POST", path, headers=twice)).status == 400
    assert (await house.raw("GET", "/v1/users/self", headers=twice)).status == 400


async def test_nonces(build: Build, key: Prover) -> None:
    """RFC 9449 8 and 9: no memory, and the same in every worker."""
    house: House = await build(dpop=DpopSettings(require_nonce=True))
    other = await house.another_worker()
    browser = await house.logged_in(await house.make_account())
    app = await house.make_app(profile="oauth21")
    code = await house.code(browser, app, **PKCE)

    async def told(answer: httpx2.Response, status: int, **has: Any) -> str:
        assert answer.status_code == status, answer.text
        assert "dpop-nonce" in answer.headers["access-control-expose-headers"]
        nonce: str = answer.headers["dpop-nonce"]
        assert len(nonce) == 24
        return nonce

    no = await redeem(house, app, code, dpop=key.proof(TOKEN, house.clock()))
    nonce = await told(no, 400)
    assert no.json()["error"] == "use_dpop_nonce"
    no = await redeem(other, app, code, dpop=key.proof(TOKEN, house.clock(), nonce=nonce[::-1]))
    assert await told(no, 400) == nonce
    house.clock.forward(50)
    yes = await redeem(other, app, code, dpop=key.proof(TOKEN, house.clock(), nonce=nonce))
    await told(yes, 200)
    token = yes.json()["access_token"]
    assert (await push(house, app, dpop=key.proof(PAR, house.clock(), nonce=nonce))).status_code == 201
    no = await push(house, app, dpop=key.proof(PAR, house.clock()))
    assert (no.status_code, no.json()["error"]) == (400, "use_dpop_nonce")

    house.clock.forward(2 * SLOT)
    no = await call(house, token, key.proof(ME, house.clock(), "GET", token, nonce=nonce))
    fresh = await told(no, 401)
    assert fresh != nonce and no.headers["www-authenticate"].startswith('DPoP error="use_dpop_nonce"')
    house.clock.forward(SLOT)
    yes = await call(other, token, key.proof(ME, house.clock(), "GET", token, nonce=fresh))
    assert await told(yes, 200) != fresh, "the one before still counts"
    classic = await house.make_app(name="Classic")
    assert "dpop-nonce" not in (await house.exchange(classic, "x")).headers


@ONE_STORE
async def test_pages_of_other_sites_may_send_a_proof(house: House) -> None:
    for path, allowed in (
        ("/oauth/token", "authorization, content-type, dpop"),
        ("/oauth/par", "authorization, content-type, dpop"),
        ("/v1/users/self", "authorization, content-type, dpop"),
        ("/oauth/access_token", "authorization, content-type"),
    ):
        answer = await house.raw("OPTIONS", path, headers=[(b"origin", b"https://app.example")])
        assert answer.header("access-control-allow-headers") == allowed
