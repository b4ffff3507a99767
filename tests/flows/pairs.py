"""A pair of tokens out of a code, and the next pair out of its refresh token, as an app of today asks for them."""

from typing import Any

import httpx2

from tests.flows.browser import Browser
from tests.house import SITE, App, House
from tests.proofs import Prover

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636 appendix B
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}

Pair = dict[str, Any]


async def first_pair(
    house: House, browser: Browser, app: App, key: Prover | None = None, **more: str | None
) -> Pair:
    """Allowed in this browser, and redeemed; with a proof of this key."""
    code = await house.code(browser, app, **(PKCE | more))
    fields = house.exchange_fields(app, code, redirect_uri=None, code_verifier=VERIFIER)
    return given(await house.http().post("/oauth/token", data=fields, headers=proof(house, key)))


async def refresh(
    house: House, app: App, pair: Pair, key: Prover | None = None, **more: str | None
) -> httpx2.Response:
    """A refresh; more: fields to add, to replace, or (None) to leave out."""
    asked = {
        "grant_type": "refresh_token",
        "client_id": app.id,
        "client_secret": app.secret,
        "refresh_token": pair["refresh_token"],
    }
    fields = {name: value for name, value in (asked | more).items() if value is not None}
    return await house.http().post("/oauth/token", data=fields, headers=proof(house, key))


async def next_pair(
    house: House, app: App, pair: Pair, key: Prover | None = None, **more: str | None
) -> Pair:
    """The pair that a refresh gives."""
    return given(await refresh(house, app, pair, key, **more))


def proof(house: House, key: Prover | None) -> dict[str, str]:
    return {} if key is None else {"dpop": key.proof(f"{SITE}/oauth/token", house.clock())}


def given(answer: httpx2.Response) -> Pair:
    assert answer.status_code == 200, answer.text
    pair: Pair = answer.json()
    return pair


def check_refused(answer: httpx2.Response, error: str = "invalid_grant", status: int = 400) -> None:
    """RFC 6749 5.2, in printable ASCII without quotes."""
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    words = answer.json()["error_description"]
    assert words and all(" " <= c <= "~" and c not in '"\\' for c in words)
