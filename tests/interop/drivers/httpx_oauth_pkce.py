"""httpx-oauth, which knows apps with a secret only: Basic, a verifier made by the app."""

import asyncio
import base64
import hashlib
import secrets
from urllib.parse import parse_qs, urlsplit

import dialogue
import httpx
from httpx_oauth.oauth2 import OAuth2


async def main() -> None:
    config = dialogue.config()
    base = config["base"]
    client = OAuth2(
        config["client_id"],
        config["client_secret"],
        authorize_endpoint=base + "/oauth/authorize",
        access_token_endpoint=base + "/oauth/token",
        refresh_token_endpoint=base + "/oauth/token",
        revoke_token_endpoint=base + "/oauth/revoke",
        base_scopes=config["scope"].split(),
        token_endpoint_auth_method="client_secret_basic",
        revocation_endpoint_auth_method="client_secret_basic",
    )
    state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    redirect_uri = config["redirect_uri"]
    url = await client.get_authorization_url(
        redirect_uri, state, code_challenge=challenge, code_challenge_method="S256"
    )
    back = parse_qs(urlsplit(dialogue.visit(url)).query)
    assert back["state"] == [state]
    token = await client.get_access_token(back["code"][0], redirect_uri, verifier)

    async def api(access_token: str) -> int:
        headers = {"Authorization": f"Bearer {access_token}"}
        async with httpx.AsyncClient() as http:
            return (await http.get(base + "/v1/users/self", headers=headers)).status_code

    found = {"token": token, "api": await api(token["access_token"])}
    refreshed = await client.refresh_token(token["refresh_token"])
    found |= {"refreshed": refreshed, "refreshed_api": await api(refreshed["access_token"])}
    await client.revoke_token(refreshed["refresh_token"], "refresh_token")
    dialogue.finish(**found, revoked_api=await api(refreshed["access_token"]))


asyncio.run(main())
