"""A FAPI 2.0 client as the conformance suite has one: it finds everything in the metadata and signs all it says.

client = await FapiClient.made(house, variant)      an app with keys of its own, registered
answer = await client.push()                        PAR; whatever is named replaces, or (None) leaves out
said = await client.allowed(browser, request_uri)   what came back to its redirect URI, JARM opened and verified
answer = await client.redeem(said["code"])          a token request with an assertion and a DPoP proof
answer = await client.call(token)                   the resource
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2

from tests.flows.browser import Browser, Page
from tests.house import SITE, House, parameters
from tests.reading import read
from tests.signing import Signer, b64

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CALLBACK = "https://suite.example/test/a/valetkey/callback"
SECOND_CALLBACK = CALLBACK + "?dummy1=lorem&dummy2=ipsum"
RESOURCE = SITE + "/v1/users/self"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk-and-then-some"
DETAILS = [{"type": "account_information", "actions": ["list_accounts", "read_balances"]}]
DISCOVERY = "/.well-known/oauth-authorization-server"
UNHEARD = ("invalid_client", "invalid_request")  # what an assertion that is not believed may be told
PLAN = "fapi2-security-profile-final-"


@dataclass(frozen=True)
class Variant:
    """How a plan is run: the suite's fapi_request_method, fapi_response_mode and authorization_request_type."""

    name: str
    signed: bool = False
    jarm: bool = False
    rar: bool = False


SECURITY_PROFILE = Variant("security-profile")
SECURITY_PROFILE_RAR = Variant("security-profile-rar", rar=True)
SIGNED_REQUESTS = Variant("signed-requests", signed=True)
MESSAGE_SIGNING = Variant("message-signing", signed=True, jarm=True, rar=True)


@dataclass
class FapiClient:
    """One app of the suite's, with the key it is registered by and the key its tokens are bound to."""

    house: House | Any  # or whatever has http() and clock.now
    variant: Variant
    id: str
    key: Signer
    dpop: Signer
    metadata: dict[str, Any]
    redirect_uri: str = CALLBACK
    scope: str = "basic"
    state: str = field(default_factory=lambda: secrets.token_urlsafe(9))

    @classmethod
    async def made(
        cls, house: House, variant: Variant, algorithm: str = "ES256", **more: Any
    ) -> "FapiClient":
        """An app of the profile fapi2 that authenticates by private_key_jwt and signs requests if the variant does."""
        key = Signer(algorithm, kid=secrets.token_hex(4))
        app = await house.make_app(CALLBACK, SECOND_CALLBACK, profile="fapi2")
        app = await house.registered(
            app,
            token_endpoint_auth_method="private_key_jwt",
            jwks=key.jwks,
            require_signed_request_object=variant.signed,
            authorization_details_types=("account_information",),
        )
        found = (await house.http().get(DISCOVERY)).json()
        return cls(house, variant, app.id, key, Signer("ES256"), found, **more)

    @property
    def now(self) -> int:
        return self.house.clock.now

    @property
    def resource(self) -> str:
        return str(self.metadata["issuer"]) + "/v1/users/self"

    # --- what it signs ------------------------------------------------------------------------------------------------

    def assertion(
        self, header: Mapping[str, Any] | None = None, by: Signer | None = None, **claims: Any
    ) -> str:
        """A client assertion (RFC 7523 3); claims: to add, to replace, or (None) to leave out."""
        plain = {
            "iss": self.id,
            "sub": self.id,
            "aud": self.metadata["issuer"],
            "jti": secrets.token_hex(10),
            "iat": self.now,
            "exp": self.now + 60,
        }
        return (by or self.key).jwt(kept(plain | claims), dict(header or {}))

    def proof(
        self,
        method: str,
        url: str,
        token: str | None = None,
        header: Mapping[str, Any] | None = None,
        by: Signer | None = None,
        **claims: Any,
    ) -> str:
        """A DPoP proof (RFC 9449 4.2); header and claims: to add, to replace, or (None) to leave out."""
        signer = by or self.dpop
        plain = {"jti": secrets.token_hex(10), "htm": method, "htu": url, "iat": self.now}
        if token is not None:
            plain["ath"] = b64(hashlib.sha256(token.encode()).digest())
        head = {"typ": "dpop+jwt", "kid": None, "jwk": bare(signer)} | dict(header or {})
        return signer.jwt(kept(plain | claims), head)

    def request_object(self, asked: Mapping[str, Any], by: Signer | None = None, **claims: Any) -> str:
        """What is asked as a signed request object (RFC 9101 4); `header`: of the JWS."""
        header = claims.pop("header", {})
        times = {"nbf": self.now, "exp": self.now + 300}
        named = {"aud": self.metadata["issuer"], "iss": self.id, "client_id": self.id}
        return (by or self.key).jwt(kept(dict(asked) | times | named | claims), header)

    # --- authorization ------------------------------------------------------------------------------------------------

    def asked(self, **more: Any) -> dict[str, Any]:
        """The authorization request; more: to add, to replace, or (None) to leave out."""
        plain: dict[str, Any] = {
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "response_type": "code",
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        if self.variant.jarm:
            plain["response_mode"] = "jwt"
        if self.variant.rar:
            plain["authorization_details"] = DETAILS
        return kept(plain | more)

    async def push(
        self, assertion: str | None = None, proof: str | None = None, sent: str | None = None, **more: Any
    ) -> httpx2.Response:
        """PAR (RFC 9126 2): as plain parameters, or in a request object if the variant signs. `sent`: that object."""
        asked = self.asked(**more)
        if self.variant.signed or sent is not None:
            fields = {"request": sent if sent is not None else self.request_object(asked)}
        else:
            fields = {
                name: value if isinstance(value, str) else json.dumps(value) for name, value in asked.items()
            }
        return await self.push_fields(fields, assertion, proof)

    async def push_fields(
        self, fields: dict[str, str], assertion: str | None = None, proof: str | None = None
    ) -> httpx2.Response:
        """PAR with just these fields and an assertion."""
        shown = {"client_assertion": assertion or self.assertion(), "client_assertion_type": ASSERTION_TYPE}
        headers = {} if proof is None else {"dpop": proof}
        url = self.metadata["pushed_authorization_request_endpoint"]
        return await self.house.http().post(url, data=fields | shown, headers=headers)

    async def pushed(self, **more: Any) -> str:
        """The request_uri of a request that is taken."""
        answer = await self.push(**more)
        assert answer.status_code == 201, answer.text
        assert answer.headers["content-type"].partition(";")[0] == "application/json"
        body = answer.json()
        assert isinstance(body["expires_in"], int) and 5 <= body["expires_in"] <= 600
        assert len(body["request_uri"]) - len("urn:ietf:params:oauth:request_uri:") >= 22  # 128 bits
        return str(body["request_uri"])

    def address(self, request_uri: str, bare: bool = False, **beside: str) -> str:
        """Where the browser is sent; beside `request_uri` the suite repeats what plain OAuth wants, unless `bare`."""
        again = {"response_type": "code", "scope": self.scope, "redirect_uri": self.redirect_uri}
        asked = {"client_id": self.id, "request_uri": request_uri} | ({} if bare else again) | beside
        return f"{self.metadata['authorization_endpoint']}?{urlencode(asked)}"

    async def decided(self, browser: Browser, address: str, decision: str = "allow") -> Page:
        """The page in the end, when the person is there and says yes or no if they are asked."""
        page = await browser.open(address)
        return await browser.consent(page, decision) if page.left is None and page.asks_consent else page

    async def allowed(self, browser: Browser, request_uri: str, **more: Any) -> dict[str, str]:
        """What the client is told when the person says yes."""
        page = await self.decided(browser, self.address(request_uri, **more))
        assert page.left is not None, page.text
        return await self.told(page.left)

    async def told(self, where: str) -> dict[str, str]:
        """What stands in an answer, the redirect URI's own query taken off and JARM opened (JARM 2.3.1, 2.4)."""
        assert where.startswith(self.redirect_uri) and not urlsplit(where).fragment, where
        own = dict(pair.split("=") for pair in urlsplit(self.redirect_uri).query.split("&") if pair)
        found = parameters(where)
        assert own.items() <= found.items(), where
        found = {name: value for name, value in found.items() if name not in own}
        if not self.variant.jarm:
            return found
        assert set(found) == {"response"}, where
        return await self.opened(found["response"])

    async def opened(self, response: str) -> dict[str, str]:
        """A JARM answer, verified by a key that the server publishes; only what is OAuth's own is returned."""
        header, told = read(response, (await self.house.http().get(self.metadata["jwks_uri"])).json()["keys"])
        assert header["alg"] in ("ES256", "PS256", "EdDSA")
        assert (told.pop("iss"), told.pop("aud")) == (self.metadata["issuer"], self.id)
        assert self.now + 10 <= told.pop("exp") <= self.now + 600
        told.pop("iat", None)
        return {"iss": self.metadata["issuer"]} | told

    async def code(self, browser: Browser, **more: Any) -> str:
        """A code, fairly come by; what the answer says beside it is checked."""
        said = await self.allowed(browser, await self.pushed(**more))
        assert set(said) == {"code", "state", "iss"}, said
        assert (said["state"], said["iss"]) == (more.get("state", self.state), self.metadata["issuer"])
        assert len(said["code"]) >= 22
        return said["code"]

    # --- tokens -------------------------------------------------------------------------------------------------------

    async def redeem(self, code: str, assertion: str | None = None, **more: Any) -> httpx2.Response:
        """The code for a token."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
        }
        return await self.ask_token(fields, assertion, **more)

    async def refresh(self, token: str, **more: Any) -> httpx2.Response:
        """Another access token by a refresh token."""
        return await self.ask_token({"grant_type": "refresh_token", "refresh_token": token}, **more)

    async def ask_token(
        self,
        fields: dict[str, str],
        assertion: str | None = None,
        proof: str | None = "",
        proven: bool = True,
        **more: str | None,
    ) -> httpx2.Response:
        """A token request. proof: another one, or None for none; proven: whether an assertion is sent."""
        url = self.metadata["token_endpoint"]
        if proven:
            more |= {
                "client_assertion": assertion or self.assertion(),
                "client_assertion_type": ASSERTION_TYPE,
            }
        headers = {} if proof is None else {"dpop": proof or self.proof("POST", url)}
        return await self.house.http().post(url, data=kept(fields | more), headers=headers)

    async def token(self, browser: Browser, **more: Any) -> dict[str, Any]:
        """The token answer of a whole flow that goes well."""
        return self.granted(await self.redeem(await self.code(browser, **more)))

    def granted(self, answer: httpx2.Response) -> dict[str, Any]:
        """A good token answer, checked as the suite checks each."""
        assert answer.status_code == 200, answer.text
        assert "no-store" in answer.headers["cache-control"]
        body: dict[str, Any] = answer.json()
        assert body["token_type"].lower() == "dpop" and isinstance(body["expires_in"], int)
        assert len(body["access_token"]) >= 22 and "id_token" not in body
        if self.variant.rar:
            assert body["authorization_details"] == DETAILS
        return body

    # --- the resource -------------------------------------------------------------------------------------------------

    async def call(
        self, token: str, proof: str | None = "", scheme: str = "DPoP", **headers: str
    ) -> httpx2.Response:
        """The resource with the token. proof: another one, or None for none."""
        said = {"authorization": f"{scheme} {token}"} | headers
        if proof is not None:
            said["dpop"] = proof or self.proof("GET", self.resource, token)
        return await self.house.http().get(self.resource, headers=said)

    async def lives(self, token: str) -> bool:
        """Whether the resource takes the token with a good proof."""
        answer = await self.call(token)
        assert answer.status_code in (200, 400, 401), answer.text
        return answer.status_code == 200


def kept(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None."""
    return {name: value for name, value in fields.items() if value is not None}


def bare(signer: Signer) -> dict[str, Any]:
    """The public key alone."""
    return {name: value for name, value in signer.jwk.items() if name != "kid"}


def challenge(verifier: str) -> str:
    """RFC 7636 4.2."""
    return b64(hashlib.sha256(verifier.encode()).digest())


def thumbprint(signer: Signer) -> str:
    """RFC 7638 3.1."""
    members = {
        name: value for name, value in bare(signer).items() if name in ("kty", "crv", "x", "y", "n", "e")
    }
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return b64(hashlib.sha256(text.encode()).digest())


def refused(answer: httpx2.Response, *errors: str, status: tuple[int, ...] = (400,)) -> None:
    """An error of RFC 6749 5.2 with one of these codes; invalid_client may be 401 as well."""
    assert answer.headers["content-type"].partition(";")[0] == "application/json", answer.text
    body = answer.json()
    assert body["error"] in errors, body
    assert answer.status_code in ((*status, 401) if body["error"] == "invalid_client" else status), (
        answer.text
    )
    assert body["error_description"].isascii() and body["error_description"].isprintable()
    assert set(body) <= {"error", "error_description", "error_uri"}


def shut_out(answer: httpx2.Response) -> None:
    """The resource says no."""
    assert answer.status_code in (400, 401), answer.text
