"""Authlib's OAuth2Session as it comes: Basic with a secret, none without one."""

import dialogue
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

config = dialogue.config()
base, secret = config["base"], config["client_secret"]

session = OAuth2Session(
    config["client_id"],
    secret,
    token_endpoint_auth_method="client_secret_basic" if secret else "none",
    revocation_endpoint_auth_method="client_secret_basic" if secret else "none",
    redirect_uri=config["redirect_uri"],
    scope=config["scope"],
    code_challenge_method="S256",
)
verifier = generate_token(48)
url, state = session.create_authorization_url(base + "/oauth/authorize", code_verifier=verifier)
landed = dialogue.visit(url)
token = session.fetch_token(
    base + "/oauth/token", authorization_response=landed, state=state, code_verifier=verifier
)
api = session.get(base + "/v1/users/self").status_code
refreshed = session.refresh_token(base + "/oauth/token", refresh_token=token["refresh_token"])
found = {"refreshed": refreshed, "refreshed_api": session.get(base + "/v1/users/self").status_code}
if secret:
    answer = session.introspect_token(base + "/oauth/introspect", token=refreshed["access_token"])
    found["introspected"] = answer.json()
session.revoke_token(base + "/oauth/revoke", refreshed["refresh_token"], "refresh_token").raise_for_status()
found["revoked_api"] = session.get(base + "/v1/users/self").status_code
dialogue.finish(token=token, api=api, **found)
