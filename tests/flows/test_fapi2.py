"""fapi2 from both ends: nothing goes through the browser but one word, and nothing stolen on the way is of use."""

from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from msgspec.structs import replace

from tests.flows.browser import Browser
from tests.flows.today import ME, PAR, PKCE, TOKEN, VERIFIER, check_refused
from tests.house import ONE_STORE, SITE, App, House, Person, parameters
from tests.proofs import Prover
from tests.signing import Signer
from valetkey.protocol.changes import Save
from valetkey.server import clients
from valetkey.server.clients import ClientForm
from valetkey.server.problems import Problems

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Bank:
    """An app that signs, with a key for its tokens."""

    def __init__(self, house: House, app: App, signer: Signer) -> None:
        self.house, self.app, self.signer, self.key, self.count = house, app, signer, Prover(), 0

    def proves(self, **claims: Any) -> dict[str, str]:
        """The fields that say who asks."""
        self.count += 1
        now = self.house.clock()
        said = {"iss": self.app.id, "sub": self.app.id, "aud": SITE, "exp": now + 60, "jti": f"a{self.count}"}
        return {"client_assertion_type": JWT_BEARER, "client_assertion": self.signer.jwt(said | claims)}

    async def push(self, **more: str | None) -> httpx2.Response:
        asked = {"redirect_uri": self.app.redirect_uri, "response_type": "code", "state": "s"} | PKCE | more
        body = {name: value for name, value in asked.items() if value is not None}
        return await self.house.http().post("/oauth/par", data=self.proves() | body)

    async def code(self, browser: Browser, **more: str | None) -> str:
        answer = await self.push(**more)
        assert answer.status_code == 201, answer.text
        query = urlencode({"client_id": self.app.id, "request_uri": answer.json()["request_uri"]})
        page = await browser.open(f"{SITE}/oauth/authorize?{query}")
        if page.left is None:
            page = await browser.consent(page, "allow")
        return parameters(page.left or "")["code"]

    async def ask(self, key: Prover | None = None, **fields: str) -> httpx2.Response:
        """A token request, with a proof unless `key` is there and has none."""
        proof = (key or self.key).proof(TOKEN, self.house.clock())
        return await self.house.http().post(
            "/oauth/token", data=self.proves() | fields, headers={"dpop": proof}
        )


@pytest.fixture
async def bank(house: House) -> Bank:
    app, signer = await house.make_app(profile="fapi2"), Signer("ES256")
    assert app.secret is None, "no method of the profile shows one"
    await house.registered(app, token_endpoint_auth_method="private_key_jwt", jwks=signer.jwks)
    return Bank(house, app, signer)


async def test_the_whole_flow(house: House, bank: Bank, browser: Browser) -> None:
    code = await bank.code(browser, scope="basic likes")
    answer = await bank.ask(grant_type="authorization_code", code=code, code_verifier=VERIFIER)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["token_type"], body["scope"], body["expires_in"]) == ("DPoP", "basic likes", 3600)
    token = body["access_token"]
    shown = {"authorization": f"DPoP {token}", "dpop": bank.key.proof(ME, house.clock(), "GET", token)}
    assert (await house.http().get("/v1/users/self", headers=shown)).status_code == 200
    bearer = {"authorization": f"Bearer {token}"}
    assert (await house.http().get("/v1/users/self", headers=bearer)).status_code == 401

    other = Prover()  # refresh tokens of clients that prove themselves are not bound (RFC 9449 5)
    for _ in range(2):
        again = await bank.ask(other, grant_type="refresh_token", refresh_token=body["refresh_token"])
        assert again.status_code == 200, "the same one stays (FAPI 2.0 5.3.2.1)"
        assert again.json().get("refresh_token", body["refresh_token"]) == body["refresh_token"]
        token = again.json()["access_token"]
        shown = {"authorization": f"DPoP {token}", "dpop": other.proof(ME, house.clock(), "GET", token)}
        assert (await house.http().get("/v1/users/self", headers=shown)).status_code == 200


async def test_what_is_refused(house: House, bank: Bank, browser: Browser) -> None:
    page = await browser.open(house.authorize_url(bank.app, **PKCE))
    assert page.status == 400 and page.left is None, "nothing goes through the browser"
    code = await bank.code(browser)
    fields = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    bare = await house.http().post("/oauth/token", data=bank.proves() | fields)
    check_refused(bare, "invalid_request")
    for audience in (TOKEN, PAR, [SITE], [SITE, TOKEN]):
        data = bank.proves(aud=audience) | fields
        proof = {"dpop": bank.key.proof(TOKEN, house.clock())}
        check_refused(
            await house.http().post("/oauth/token", data=data, headers=proof), "invalid_client", 401
        )
    bank_rsa = Signer("RS256")
    data = {"client_assertion_type": JWT_BEARER, "client_assertion": bank_rsa.jwt({"iss": bank.app.id})}
    check_refused(await house.http().post("/oauth/token", data=data | fields), "invalid_client")
    house.clock.forward(60)
    check_refused(await bank.ask(**fields), "invalid_grant")
    for change, error in (
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
    ):
        check_refused(await bank.push(**change), error)


async def test_an_app_for_itself(house: House, bank: Bank) -> None:
    check_refused(await bank.ask(grant_type="client_credentials"), "unauthorized_client")
    told = await house.store.client(bank.app.id)
    assert told is not None
    registered = replace(told.registered, grant_types=("client_credentials",))
    await house.store.apply((Save(replace(told, registered=registered, version=3)),))
    answer = await bank.ask(grant_type="client_credentials")
    assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP"), answer.text


@ONE_STORE
@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"type": "spa"}, "type"),
        ({"type": "native"}, "type"),
        ({"redirect_uris": ("http://127.0.0.1/",)}, "redirect_uris"),
        ({"redirect_uris": ("http://localhost:3000/cb",)}, "redirect_uris"),
        ({"redirect_uris": ("http://bank.example/",)}, "redirect_uris"),
        ({"allow_implicit": True}, "allow_implicit"),
    ],
)
async def test_what_cannot_be_registered(
    house: House, snoop: Person, fields: dict[str, Any], wrong: str
) -> None:
    plain = {"name": "Bank", "type": "web", "profile": "fapi2", "redirect_uris": ("https://bank.example/",)}
    with pytest.raises(Problems) as no:
        await clients.register(house.server, snoop.account, ClientForm(**(plain | fields)))
    assert list(no.value.fields) == [wrong]


@ONE_STORE
async def test_the_console_speaks_of_keys(house: House, browser: Browser) -> None:
    page = await browser.open("/developer/register/")
    answers = {"name": "Bank", "type": "web", "profile": "fapi2", "redirect_uris": "https://bank.example/"}
    page = await browser.submit(page, page.form("/register/"), answers)
    assert "proves who it is by a key or a certificate" in page.text
    (client,) = await house.store.clients_of(house.people["snoopdogg"].account.id)
    page = await browser.open(f"/developer/apps/{client.id}/")
    for words in ("/oauth/par", "client_assertion=SIGNED-JWT", "request_uri=REQUEST-URI", "DPoP: PROOF"):
        assert words in page.text
    assert "CLIENT-SECRET" not in page.text
