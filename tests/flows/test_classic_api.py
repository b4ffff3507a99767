"""API calls of the classic profile: /v1/users/... (classic.md 4)."""

import asyncio
import hashlib
import hmac
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from tests.flows.browser import Browser
from tests.house import App, Build, House, Person
from valetkey.protocol.changes import Save
from valetkey.settings import ApiSettings


@pytest.fixture
async def app(house: House) -> App:
    return await house.make_app()


@pytest.fixture
async def token(house: House, app: App, browser: Browser) -> str:
    return await house.token(browser, app)


async def call(house: House, path: str, **said: Any) -> httpx2.Response:
    """One call; every answer can be read by a page of another site and carries the limits."""
    answer = await house.http().get(path, **said)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert {"x-ratelimit-limit", "x-ratelimit-remaining"} <= set(answer.headers)
    return answer


def check_refused(answer: httpx2.Response, kind: str, words: str, status: int = 400) -> None:
    meta = {"error_type": kind, "code": status, "error_message": words}
    assert (answer.status_code, answer.json()) == (status, {"meta": meta})


async def test_users_self(house: House, app: App, snoop: Person, browser: Browser, token: str) -> None:
    await browser.fill(
        "/accounts/edit/", "/accounts/edit/", bio="West coast", website="https://snoop.example/"
    )
    for path in ("/v1/users/self", "/v1/users/self/", "/v1/users/self.json"):
        for said in ({"params": {"access_token": token}}, {"headers": {"authorization": f"bearer {token}"}}):
            body = (await call(house, path, **said)).json()
            assert body == {
                "meta": {"code": 200},
                "data": {
                    "id": str(snoop.account.id),
                    "username": "snoopdogg",
                    "full_name": "Snoop Dogg",
                    "profile_picture": "https://id.example/static/person.png",
                    "bio": "West coast",
                    "website": "https://snoop.example/",
                    "counts": {"media": 0, "follows": 0, "followed_by": 0},
                },
            }


async def test_users_by_id(house: House, snoop: Person, token: str) -> None:
    dre = await house.make_account("dre", "Dr. Dre")
    said = {"params": {"access_token": token}}
    for person in (snoop, dre):
        for tail in ("", "/", ".json"):
            answer = await call(house, f"/v1/users/{person.account.id}{tail}", **said)
            assert answer.json()["data"]["username"] == person.username
    for who in ("1", "0", "-1", "snoopdogg", "9" * 18, "9" * 60, "１２", f"0x{dre.account.id:x}"):
        answer = await call(house, f"/v1/users/{who}", **said)
        check_refused(answer, "APINotFoundError", "this user does not exist")
    for path in ("/v1/users/", "/v1/users/1/2", "/v1/users/self/media/recent", "/v1/users//"):
        answer = await call(house, path, **said)
        check_refused(answer, "APINotFoundError", "this user does not exist")
    gone = replace(dre.account, disabled_at=house.clock(), version=2)
    await house.store.apply((Save(gone),))
    answer = await call(house, f"/v1/users/{dre.account.id}", **said)
    check_refused(answer, "APINotFoundError", "this user does not exist")


async def test_what_is_not_there_is_said_in_the_api_s_own_form(house: House, token: str) -> None:
    for path in ("/v1/", "/v1/nowhere", "/v1/media/popular"):
        answer = await call(house, path, params={"access_token": token})
        assert answer.status_code in (400, 404) and answer.json()["meta"]["error_type"] == "APINotFoundError"


async def test_a_token_that_is_none(house: House, app: App, browser: Browser, token: str) -> None:
    code = await house.code(browser, app)
    near = (token[:-1], token + "0", token.upper(), " " + token, token.replace(".", ""), token.split(".")[1])
    for other in (*near, "x", code, app.secret or "", "0" * 4000):
        answer = await call(house, "/v1/users/self", params={"access_token": other})
        check_refused(answer, "OAuthAccessTokenException", "The access_token provided is invalid.")
    for header in (
        "Bearer",
        "Bearer ",
        f"Bearer {token} ",
        f"Bearer\t{token}",
        f"Bearer  {token}",
        "Bearer é",
    ):
        answer = await house.raw("GET", "/v1/users/self", headers=[(b"authorization", header.encode())])
        assert answer.status == 400, header
        assert answer.json()["meta"]["error_type"] in ("OAuthAccessTokenException", "OAuthParameterException")


async def test_a_token_that_is_missing_or_there_twice(house: House, token: str) -> None:
    missing = "Missing client_id or access_token URL parameter."
    for said in ({}, {"params": {"access_token": ""}}, {"params": {"token": token}}):
        check_refused(await call(house, "/v1/users/self", **said), "OAuthParameterException", missing)
    both = {"params": {"access_token": token}, "headers": {"authorization": f"Bearer {token}"}}
    twice = await call(house, "/v1/users/self", **both)
    check_refused(twice, "OAuthParameterException", "The access_token was sent in two places.")
    answer = await call(house, f"/v1/users/self?access_token={token}&access_token={token}")
    assert (answer.status_code, answer.json()["meta"]["error_type"]) == (400, "OAuthParameterException")


async def test_an_unknown_scheme_beside_the_parameter_is_ignored(house: House, token: str) -> None:
    for header in ("Basic abc", "OAuth oauth_token=x", "Negotiate", ""):
        said = {"params": {"access_token": token}, "headers": {"authorization": header}}
        assert (await call(house, "/v1/users/self", **said)).status_code == 200


async def test_other_parameters_are_no_matter(house: House, token: str) -> None:
    assert (
        await call(house, f"/v1/users/self?count=1&x=&callback=f&access_token={token}")
    ).status_code == 200


async def test_only_get(house: House, token: str) -> None:
    for path in ("/v1/users/self", "/v1/users/1"):
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
            answer = await house.raw(method, path, f"access_token={token}".encode())
            assert answer.status == 405 and answer.header("allow") == "GET"
            assert answer.json()["meta"]["code"] == 405


async def test_a_token_without_the_scope_that_a_call_needs(house: House, browser: Browser) -> None:
    """An app of today may ask for other scopes than basic."""
    app = await house.make_app(profile="oauth20", name="Likes only")
    code = await house.code(browser, app, scope="likes")
    answer = await house.http().post("/oauth/token", data=house.exchange_fields(app, code))
    assert answer.json()["scope"] == "likes"
    said = {"headers": {"authorization": f"Bearer {answer.json()['access_token']}"}}
    refused = await call(house, "/v1/users/self", **said)
    assert refused.status_code == refused.json()["meta"]["code"] == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert refused.json()["meta"]["error_type"] == "OAuthPermissionsException"
    assert "scope=basic" in refused.json()["meta"]["error_message"]


async def test_revoking_ends_a_token_at_once_on_every_worker(
    house: House, app: App, browser: Browser, token: str
) -> None:
    other = await house.another_worker()
    code = await house.code(browser, app)
    assert await other.lives(token)
    page = await browser.open("/accounts/manage_access/")
    assert "Photo Printer" in page.text
    form = page.form("/manage_access/")
    page = await browser.submit(page, form, dict([form.buttons[0]]))
    assert "The app was removed." in page.text and "No app can use your account" in page.text
    for each in (house, other):
        answer = await call(each, "/v1/users/self", params={"access_token": token})
        check_refused(answer, "OAuthAccessTokenException", "The access_token provided is invalid.")
    assert (await house.exchange(app, code)).status_code == 400, "and the code that was under way"
    assert (await browser.open(house.authorize_url(app))).asks_consent, "and the app has to ask again"


async def test_the_rate_limit(build: Build) -> None:
    """Counted per app and token over an hour; an app can be given more."""
    house = await build(api=ApiSettings(rate_limit=3))
    app, generous = await house.make_app(), await house.make_app(name="Generous")
    await house.store.apply((Save(replace(generous.client, rate_limit=5, version=2)),))
    browser = await house.logged_in(await house.make_account())
    token, other = await house.token(browser, app), await house.token(browser, app)
    for left in (2, 1, 0):
        answer = await call(house, "/v1/users/self", params={"access_token": token})
        assert answer.status_code == 200
        assert answer.headers["x-ratelimit-limit"] == "3"
        assert answer.headers["x-ratelimit-remaining"] == str(left)
    answer = await call(house, "/v1/users/self", params={"access_token": token})
    words = "You have exceeded the maximum number of requests per hour. Your limit is 3."
    check_refused(answer, "OAuthRateLimitException", words, 429)
    assert answer.headers["x-ratelimit-remaining"] == "0"
    answer = await call(house, "/v1/users/self", params={"access_token": other})
    assert answer.headers["x-ratelimit-remaining"] == "2", "another token has calls of its own"
    answer = await house.me(await house.token(browser, generous))
    assert (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) == ("5", "4")
    house.clock.forward(3600)
    answer = await call(house, "/v1/users/self", params={"access_token": token})
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "2")


async def test_the_rate_limit_is_shared_by_workers(build: Build) -> None:
    house = await build(api=ApiSettings(rate_limit=1000))
    other = await house.another_worker()
    app = await house.make_app()
    token = await house.token(await house.logged_in(await house.make_account()), app)
    for left in range(999, 979, -1):
        for worker in (house, other):
            assert (await worker.me(token)).headers["x-ratelimit-remaining"] == str(left)
    await house.server.usage.share()
    await other.server.usage.share()
    assert (await other.me(token)).headers["x-ratelimit-remaining"] == "959"


async def test_the_last_calls_of_an_hour_are_counted_at_once_on_every_worker(build: Build) -> None:
    house = await build(api=ApiSettings(rate_limit=8))
    other = await house.another_worker()
    token = await house.token(await house.logged_in(await house.make_account()), await house.make_app())
    answers = await asyncio.gather(*((house, other)[turn % 2].me(token) for turn in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [429] * 12
    left = [int(answer.headers["x-ratelimit-remaining"]) for answer in answers if answer.status_code == 200]
    assert sorted(left) == list(range(8))


async def test_what_is_not_in_the_api(house: House) -> None:
    for path in ("/v1/", "/v1/media/popular", "/v1/users"):
        check_refused(await call(house, path), "APINotFoundError", "there is nothing here", 404)


def signature(app: App, path: str, parameters: dict[str, str]) -> str:
    """As the origin's documentation makes it: HMAC-SHA256 over the path and the sorted parameters."""
    text = path + "".join(f"|{name}={value}" for name, value in sorted(parameters.items()))
    return hmac.new((app.secret or "").encode(), text.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
async def signing(house: House) -> App:
    return await house.make_app(name="Signs", signed_requests=True)


async def test_signed_requests(house: House, signing: App, browser: Browser, snoop: Person) -> None:
    token = await house.token(browser, signing)
    said = {"access_token": token, "count": "10", "z": "ü", "a b": "&="}
    for path in ("/users/self", "/users/self.json", "/users/self/", f"/users/{snoop.account.id}"):
        for signed in {path, path.removesuffix(".json").removesuffix("/")}:
            good = said | {"sig": signature(signing, signed, said)}
            assert (await call(house, f"/v1{path}", params=good)).status_code == 200, (path, signed)
    twice = [*said.items(), ("sig", good["sig"]), ("sig", good["sig"])]
    assert (await call(house, f"/v1{path}", params=twice)).status_code == 200, (
        "python-instagram sends it twice"
    )
    bearer = {"headers": {"authorization": f"Bearer {token}"}}
    sig = signature(signing, "/users/self", {})
    assert (await call(house, f"/v1/users/self?sig={sig}", **bearer)).status_code == 200


async def test_signatures_that_are_wrong(house: House, signing: App, browser: Browser) -> None:
    token = await house.token(browser, signing)
    other = await house.make_app(name="Other")
    flat = {"code": 403, "error_type": "OAuthForbiddenException"}
    missing = flat | {"error_message": "Invalid signed-request: Missing required parameter 'sig'"}
    differs = flat | {"error_message": "Invalid signed-request: Signature does not match"}
    said = {"access_token": token}
    good = signature(signing, "/users/self", said)
    answer = await call(house, "/v1/users/self", params=said)
    assert (answer.status_code, answer.json()) == (403, missing)
    for params in (
        said | {"sig": "0" * 64},
        said | {"sig": good[:-1]},
        said | {"sig": good, "count": "1"},
        said | {"sig": signature(signing, "/users/1", said)},
        said | {"sig": signature(other, "/users/self", said)},
        said | {"sig": "ü"},
    ):
        answer = await call(house, "/v1/users/self", params=params)
        assert (answer.status_code, answer.json()) == (403, differs), params
    answer = await call(house, "/v1/users/self", params=[*said.items(), ("sig", good), ("sig", "0" * 64)])
    assert answer.status_code == 400, "two that differ"


async def test_a_signature_is_ignored_unless_the_app_enforces_it(house: House, app: App, token: str) -> None:
    answer = await call(house, "/v1/users/self", params={"access_token": token, "sig": "whatever"})
    assert answer.status_code == 200


async def test_a_preflight_of_a_page_of_another_site(house: House) -> None:
    for path in ("/v1/users/self", "/v1/users/1"):
        answer = await house.raw("OPTIONS", path, headers=[(b"origin", b"https://app.example")])
        assert answer.status == 204
        assert answer.header("access-control-allow-origin") == "*"
        assert answer.header("access-control-allow-headers") == "authorization, content-type, dpop"
        assert answer.header("access-control-allow-credentials") is None
