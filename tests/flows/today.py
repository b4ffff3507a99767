"""What an app of today does: push a request, redeem a code, renew what it got; and how it is told no."""

import base64
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx2

from tests.flows.browser import Browser
from tests.house import SITE, App, House
from tests.proofs import Prover
from tests.protocol.samples import CHALLENGE, VERIFIER

PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
TOKEN, PAR, ME = f"{SITE}/oauth/token", f"{SITE}/oauth/par", f"{SITE}/v1/users/self"
HEADERS = ("authorization", "dpop")

Pair = dict[str, Any]


def basic(user: str, password: str) -> str:
    """RFC 6749 2.3.1: both halves are form-encoded first."""
    return "Basic " + base64.b64encode(f"{quote_plus(user)}:{quote_plus(password)}".encode()).decode()


def check_refused(answer: httpx2.Response, error: str = "invalid_grant", status: int = 0) -> None:
    """RFC 6749 5.2, in printable ASCII without quotes."""
    status = status or (401 if error == "invalid_client" else 400)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert set(answer.json()) == {"error", "error_description"}
    words = answer.json()["error_description"]
    assert words and all(" " <= c <= "~" and c not in '"\\' for c in words)
    assert ("www-authenticate" in answer.headers) == (status == 401)


# --- requests that are pushed -----------------------------------------------------------------------------------------


async def push(house: House, app: App, /, **more: str | None) -> httpx2.Response:
    """Push the request that the app would have sent the browser with. `authorization`, `dpop`: headers."""
    asked = {"client_id": app.id, "client_secret": app.secret, "redirect_uri": app.redirect_uri}
    return await post(house, PAR, asked | {"response_type": "code", "state": "s t"} | PKCE | more)


async def pushed(house: House, app: App, /, **more: str | None) -> str:
    answer = await push(house, app, **more)
    assert answer.status_code == 201, answer.text
    request_uri: str = answer.json()["request_uri"]
    return request_uri


def address(app: App, request_uri: str, **more: str) -> str:
    return f"{SITE}/oauth/authorize?" + urlencode({"client_id": app.id, "request_uri": request_uri} | more)


# --- tokens -----------------------------------------------------------------------------------------------------------


async def redeem(house: House, app: App, code: str, /, **more: str | None) -> httpx2.Response:
    """A token request; `authorization` and `dpop` are headers, all else are fields."""
    fields = house.exchange_fields(app, code, redirect_uri=None, code_verifier=VERIFIER)
    return await post(house, TOKEN, fields | more)


async def refresh(
    house: House, app: App, pair: Pair, key: Prover | None = None, **more: str | None
) -> httpx2.Response:
    """A refresh; more: fields to add, to replace, or (None) to leave out."""
    asked = {
        "grant_type": "refresh_token",
        "client_id": app.id,
        "client_secret": app.secret,
        "refresh_token": pair["refresh_token"],
        "dpop": proof(house, key),
    }
    return await post(house, TOKEN, asked | more)


async def first_pair(
    house: House, browser: Browser, app: App, key: Prover | None = None, **more: str | None
) -> Pair:
    """Allowed in this browser, and redeemed; with a proof of this key."""
    code = await house.code(browser, app, **(PKCE | more))
    return given(await redeem(house, app, code, dpop=proof(house, key)))


async def next_pair(
    house: House, app: App, pair: Pair, key: Prover | None = None, **more: str | None
) -> Pair:
    """The pair that a refresh gives."""
    return given(await refresh(house, app, pair, key, **more))


async def token_of(house: House, browser: Browser, app: App, **more: str | None) -> str:
    """An access token, allowed in this browser."""
    return str((await first_pair(house, browser, app, **more))["access_token"])


async def bound_token(house: House, browser: Browser, app: App, key: Prover) -> str:
    """An access token that goes with this key."""
    pair = await first_pair(house, browser, app, key)
    assert pair["token_type"] == "DPoP"
    return str(pair["access_token"])


async def call(house: House, token: str, proof: str | None, scheme: str = "DPoP") -> httpx2.Response:
    """The first call every app makes, with this proof."""
    sent = {"authorization": f"{scheme} {token}"} | ({} if proof is None else {"dpop": proof})
    return await house.http().get("/v1/users/self", headers=sent)


async def post(house: House, url: str, said: dict[str, str | None]) -> httpx2.Response:
    """A form with headers among its fields; the answer is JSON that nobody keeps."""
    headers = {name: said[name] or "" for name in HEADERS if said.get(name) is not None}
    fields = {name: value for name, value in said.items() if name not in HEADERS}
    answer = await house.form(url, headers, **fields)
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    return answer


def proof(house: House, key: Prover | None) -> str | None:
    return None if key is None else key.proof(TOKEN, house.clock())


def given(answer: httpx2.Response) -> Pair:
    assert answer.status_code == 200, answer.text
    pair: Pair = answer.json()
    return pair
