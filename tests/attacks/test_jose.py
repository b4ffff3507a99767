"""JOSE: D5 assertions, A17 and A18 request objects, C17 one credential for another, C18 and 5.6 the readers."""

import asyncio
import json
import time
from typing import Any

import pytest

from tests.flows.assertions import ask, claims
from tests.flows.today import PKCE, VERIFIER
from tests.house import ONE_STORE, SITE, App, Build, House, parameters
from tests.signing import Signer, b64, keyed, unsigned

KEY, THIEF = Signer(), Signer()


@pytest.fixture
async def app(house: House) -> App:
    made = await house.make_app(type="service", profile="oauth21")
    return await house.registered(made, token_endpoint_auth_method="private_key_jwt", jwks=KEY.jwks)


async def refused(house: House, assertion: str, **more: str) -> str:
    answer = await ask(house, assertion, **more)
    assert answer.status_code in (400, 401), answer.text
    assert answer.json()["error"] in ("invalid_client", "invalid_request")
    words: str = answer.json()["error_description"]
    assert words.isascii() and words.isprintable() and '"' not in words and "\\" not in words
    return words


# --- D5 ---------------------------------------------------------------------------------------------------------------


async def test_D5_an_assertion_is_good_once_for_all_workers(house: House, app: App) -> None:
    """CVE-2020-5300, CVE-2020-15222: also when all ask at the same time."""
    other = await house.another_worker()
    for turn in range(5):
        assertion = KEY.jwt(claims(house, app, jti=f"j{turn}"))
        answers = await asyncio.gather(*(ask(each, assertion) for each in (house, other) * 4))
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
        assert {answer.json()["error_description"] for answer in answers if answer.status_code == 401} == {
            "client_assertion was used before"
        }


@pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
async def test_D5_a_restart_forgets_nothing(build: Build) -> None:
    house = await build()
    made = await house.make_app(type="service", profile="oauth21")
    app = await house.registered(made, token_endpoint_auth_method="private_key_jwt", jwks=KEY.jwks)
    assertion = KEY.jwt(claims(house, app))
    assert (await ask(house, assertion)).status_code == 200
    await house.server.close()
    again = await build()
    assert await refused(again, assertion) == "client_assertion was used before"


async def test_D5_a_jti_is_remembered_for_as_long_as_it_is_good(house: House, app: App) -> None:
    assertion = KEY.jwt(claims(house, app, exp=house.clock() + 3600))
    assert (await ask(house, assertion)).status_code == 200
    for _ in range(6):
        house.clock.forward(599)
        await house.store.clean(house.clock(), 1000)
        assert await refused(house, assertion) == "client_assertion was used before"
    house.clock.forward(6)
    assert await refused(house, assertion) == "client_assertion has expired"


async def test_D5_two_clients_may_choose_the_same_jti(house: House, app: App) -> None:
    made = await house.make_app(name="Other", type="service", profile="oauth21")
    other = await house.registered(made, token_endpoint_auth_method="private_key_jwt", jwks=THIEF.jwks)
    assert (await ask(house, KEY.jwt(claims(house, app)))).status_code == 200
    assert (await ask(house, THIEF.jwt(claims(house, other)))).status_code == 200
    assert (
        await refused(house, THIEF.jwt(claims(house, app, jti="k")))
        == "client_assertion has a wrong signature"
    )


@pytest.mark.parametrize(
    "aud",
    [
        "https://evil.example",
        [SITE, "https://evil.example"],
        f"{SITE}.evil.example",
        f"{SITE}/",
        f"{SITE}/oauth/token/",
        "https://id.example:443",
        "id.example",
        "",
        None,
        [],
        {},
        True,
    ],
)
@ONE_STORE
async def test_D5_one_for_another_server(house: House, app: App, aud: object) -> None:
    """The audience injection of the FAPI 2.0 analysis: what names somebody else, too, may have come from there."""
    assert " aud" in await refused(house, KEY.jwt(claims(house, app, aud=aud)))


# --- A17 and A18 ------------------------------------------------------------------------------------------------------


async def signing_app(house: House) -> App:
    made = await house.make_app(profile="oauth21")
    return await house.registered(made, jwks=KEY.jwks, require_signed_request_object=True)


def asked(app: App, **more: Any) -> dict[str, Any]:
    plain = {"iss": app.id, "aud": SITE, "client_id": app.id, "redirect_uri": app.redirect_uri}
    return plain | {"response_type": "code", "scope": "basic", "state": "signed"} | PKCE | more


@ONE_STORE
async def test_A17_only_what_is_signed_counts(house: House) -> None:
    app, browser = await signing_app(house), await house.logged_in(await house.make_account())
    beside = {"redirect_uri": "https://evil.example/cb", "state": "other", "scope": "basic likes", **PKCE}
    beside["code_challenge"] = "A" * 43
    left = await house.allow(browser, app, request=KEY.jwt(asked(app)), **beside)
    assert left.startswith(app.redirect_uri + "?") and parameters(left)["state"] == "signed"
    answer = await house.form(
        "/oauth/token",
        grant_type="authorization_code",
        client_id=app.id,
        client_secret=app.secret,
        code=parameters(left)["code"],
        code_verifier=VERIFIER,
    )
    assert answer.status_code == 200 and answer.json()["scope"] == "basic"


@ONE_STORE
async def test_A17_A18_what_the_client_did_not_sign_goes_nowhere(house: House) -> None:
    """Neither to the app nor to an address in the request: a page, and no link (A2)."""
    app, browser = await signing_app(house), await house.logged_in(await house.make_account())
    said = asked(app)
    head, payload, signature = KEY.jwt(said).split(".")
    evil = b64(json.dumps(said | {"redirect_uri": "https://evil.example/cb"}).encode())
    for request in (
        None,
        "",
        unsigned(said),
        f"{head}.{evil}.{signature}",
        THIEF.jwt(said),
        THIEF.jwt(said, {"jwk": THIEF.jwk}),
        keyed(said, KEY.jwks.encode()),
        KEY.jwt(said | {"aud": "https://evil.example"}),
        KEY.jwt(said | {"iss": "other"}),
        KEY.jwt(said | {"sub": app.id}),
        KEY.jwt(said | {"client_id": "other"}),
        KEY.jwt(said | {"request": KEY.jwt(said)}),
        KEY.jwt(said | {"request_uri": "https://evil.example/r"}),
        KEY.jwt(said | {"exp": house.clock() - 601}),
        KEY.jwt(said | {"redirect_uri": "https://evil.example/cb"}),
        KEY.jwt(said | {"redirect_uri": 5}),
        KEY.jwt(said, {"typ": "client-authentication+jwt"}),
        KEY.jwt(said, {"crit": ["x"]}),
        f"{head}.{payload}.",
        "https://evil.example/request.jwt",
    ):
        page = await browser.open(house.authorize_url(app, request=request))
        assert page.left is None and page.status == 400, request
        assert "evil.example" not in page.text
    beside = "https://evil.example/cb"  # beside what was signed, where none stands
    unnamed = KEY.jwt(said | {"redirect_uri": None})
    page = await browser.open(house.authorize_url(app, request=unnamed, redirect_uri=beside))
    page = await browser.consent(page, "allow")
    assert page.left is not None and page.left.startswith(app.redirect_uri)


# --- C17 --------------------------------------------------------------------------------------------------------------


@ONE_STORE
async def test_C17_no_other_jwt_of_the_client_passes_for_an_assertion(house: House, app: App) -> None:
    for typ in ("dpop+jwt", "oauth-authz-req+jwt", "at+jwt", "secevent+jwt", "application/at+jwt"):
        assert "typ" in await refused(house, KEY.jwt(claims(house, app), {"typ": typ}))


@ONE_STORE
async def test_C17_an_assertion_is_no_token_and_a_token_no_assertion(house: House, app: App) -> None:
    assertion = KEY.jwt(claims(house, app))
    assert not await house.lives(assertion)
    token = (await ask(house, assertion)).json()["access_token"]
    assert await refused(house, token) == "client_assertion is not a signed JWT in the compact form"
    for grant, name in (("authorization_code", "code"), ("refresh_token", "refresh_token")):
        for value in (assertion, token):
            fresh = KEY.jwt(claims(house, app, jti=f"{name}{len(value)}"))
            answer = await ask(house, fresh, grant_type=grant, **{name: value})
            assert answer.status_code == 400 and "access_token" not in answer.json(), answer.text


# --- C18 and 5.6 ------------------------------------------------------------------------------------------------------


def forged(house: House, app: App) -> dict[str, str]:
    """Every way that was ever taken to have a JWT believed without the key."""
    said = claims(house, app)
    head, payload, _ = KEY.jwt(said).split(".")
    embedded = {
        "jwk": THIEF.jwk,
        "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/c",
        "x5c": ["MIIB"],
    }
    text = json.dumps(said).encode()
    return {
        "none (CVE-2026-28802)": unsigned(said),
        "None": unsigned(said, "None"),
        "nothing signed": f"{head}.{payload}.",
        "zeroes": f"{head}.{payload}.{b64(bytes(64))}",
        "HS256 by the public key (CVE-2024-37568, CVE-2022-29217)": keyed(said, KEY.jwks.encode()),
        "HS256 by the public key itself": keyed(said, json.dumps(KEY.jwk).encode()),
        "HS256 by nothing": keyed(said, b""),
        "key in the header (CVE-2018-0114)": THIEF.jwt(said, embedded),
        "kid that is a path": THIEF.jwt(said, {"kid": "../../dev/null"}),
        "kid that is SQL": THIEF.jwt(said, {"kid": "x' UNION SELECT 'key"}),
        "crit (CVE-2025-59420)": KEY.jwt(said, {"crit": ["cool"], "cool": 1}),
        "b64": KEY.jwt(said, {"crit": ["b64"], "b64": False}),
        "two algs": KEY.raw(b'{"alg":"none","alg":"ES256"}', text),
        "two issuers": KEY.raw(b'{"alg":"ES256"}', text[:-1] + b',"iss":"other"}'),
        "JWE (CVE-2026-9793)": f"{b64(b'{}')}.{b64(b'a')}.{b64(b'a')}.{b64(text)}.{b64(b'a')}",
        "JSON form": json.dumps({"payload": payload, "protected": head, "signature": ""}),
        "padding": KEY.jwt(said) + "=",
        "another spelling of the signature": KEY.jwt(said)[:-1] + "_",
        "expired": KEY.jwt(claims(house, app, exp=house.clock())),
        "no end": KEY.jwt(claims(house, app, exp=None)),
        "end of text": KEY.jwt(claims(house, app, exp="9999999999")),
        "end that is true": KEY.jwt(claims(house, app, exp=True)),
        "endless": KEY.raw(b'{"alg":"ES256"}', text.replace(b'"exp": ', b'"exp": 1e999, "x": ')),
        "born tomorrow (CVE-2020-26244)": KEY.jwt(claims(house, app, iat=house.clock() + 86400)),
        "remembered for ever (CVE-2025-2559)": KEY.jwt(claims(house, app, exp=2**53)),
        "no jti": KEY.jwt(claims(house, app, jti=None)),
    }


@ONE_STORE
async def test_C18_no_forged_jwt_is_believed(house: House, app: App) -> None:
    for name, assertion in forged(house, app).items():
        assert "access_token" not in (await ask(house, assertion)).text, name
        await refused(house, assertion)
    assert (await ask(house, KEY.jwt(claims(house, app)))).status_code == 200, "the right one is still good"


@ONE_STORE
async def test_C18_size_and_depth_cost_nothing(house: House, app: App) -> None:
    """CVE-2025-61920, CVE-2023-6681: what is large or deep is refused before it is worked on."""
    deep, expensive = b'{"a":' + b"[" * 2900, b'{"alg":"PBES2-HS512+A256KW","p2c":2147483647}'
    for assertion in (
        KEY.jwt(claims(house, app), {"x": "y" * 6000}),
        f"{b64(b'A' * 2900)}.e30.e30",
        f"{b64(deep)}.e30.e30",
        f"{b64(expensive)}.{b64(deep)[:3900]}.e30",
        ".".join(["A"] * 2000),
        f"{b64(expensive)}.e30.{'A' * 3000}",
        f"{b64(expensive)}.e30.e30",
    ):
        began = time.perf_counter()
        await refused(house, assertion, client_id=app.id)
        assert time.perf_counter() - began < 0.5


@ONE_STORE
async def test_C18_strings_that_no_database_takes(house: House, app: App) -> None:
    for text in ("\\u0000", "a\\u0000b", "\\ud800", "\\udc00\\ud800"):
        payload = (
            f'{{"iss":"{text}","sub":"{text}","aud":"{SITE}","exp":{house.clock() + 60},"jti":"{text}"}}'
        )
        await refused(house, KEY.raw(b'{"alg":"ES256"}', payload.encode()))


@ONE_STORE
async def test_5_3_a_client_of_keys_needs_no_secret_and_a_client_of_secrets_no_keys(
    house: House, app: App
) -> None:
    """CVE-2026-44476: what was registered is what is asked for."""
    for fields in (
        {"client_id": app.id},
        {"client_id": app.id, "client_secret": ""},
        {"client_id": app.id, "client_secret": app.secret or ""},
    ):
        answer = await house.form("/oauth/token", grant_type="client_credentials", **fields)
        assert answer.status_code == 401 and answer.json()["error"] == "invalid_client"
    plain = await house.make_app(name="Plain", type="service", profile="oauth21")
    assert await refused(house, KEY.jwt(claims(house, plain)))
    public = await house.make_app(name="Public", type="spa", profile="oauth21")
    assert await refused(house, KEY.jwt(claims(house, public)))
    assert await refused(house, keyed(claims(house, public), b""))
