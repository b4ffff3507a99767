"""Tokens bound to the TLS client's certificate, which a trusted proxy hands over (RFC 8705 3)."""

import pytest

from tests.certificates import der, escaped
from tests.flows.browser import Browser
from tests.flows.today import PKCE, VERIFIER
from tests.house import ONE_STORE, App, Build, House
from valetkey.settings import ServerSettings

HEADER = "X-Client-Cert"


@pytest.fixture
async def house(build: Build) -> House:
    made: House = await build(
        server=ServerSettings(trusted_proxies=("192.0.2.80",), client_certificate_header=HEADER)
    )
    return made


@ONE_STORE
async def test_a_token_goes_with_its_certificate(house: House, app: App, browser: Browser) -> None:
    own, stolen = {HEADER: escaped(der())}, {HEADER: escaped(der())}
    await house.registered(app, tls_client_certificate_bound_access_tokens=True)
    code = await house.code(browser, app, **PKCE)
    fields = house.exchange_fields(app, code, redirect_uri=None, code_verifier=VERIFIER)
    no = await house.http().post("/oauth/token", data=fields)
    assert (no.status_code, no.json()["error"]) == (400, "invalid_request")
    no = await house.http("192.0.2.99").post("/oauth/token", data=fields, headers=own)
    assert no.status_code == 400, "nobody but the proxy hands certificates over"
    yes = await house.http().post("/oauth/token", data=fields, headers=own)
    assert (yes.status_code, yes.json()["token_type"]) == (200, "Bearer")
    bearer = {"authorization": f"Bearer {yes.json()['access_token']}"}
    assert (await house.http().get("/v1/users/self", headers=bearer | own)).status_code == 200
    for sent in (bearer, bearer | stolen):
        answer = await house.http().get("/v1/users/self", headers=sent)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    assert (await house.http("192.0.2.99").get("/v1/users/self", headers=bearer | own)).status_code == 401
