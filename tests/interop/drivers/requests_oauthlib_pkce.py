"""requests-oauthlib with PKCE: Basic with a secret, the client_id in the body without one."""

import os

import dialogue
import requests
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # loopback has no TLS
config = dialogue.config()
base, secret = config["base"], config["client_secret"]

session = OAuth2Session(
    config["client_id"], redirect_uri=config["redirect_uri"], scope=config["scope"].split(), pkce="S256"
)
url, state = session.authorization_url(base + "/oauth/authorize")
landed = dialogue.visit(url)
token = session.fetch_token(
    base + "/oauth/token",
    authorization_response=landed,
    client_secret=secret,
)
api = session.get(base + "/v1/users/self").status_code
auth = HTTPBasicAuth(config["client_id"], secret) if secret else None
shown = {} if secret else {"client_id": config["client_id"]}
refreshed = session.refresh_token(base + "/oauth/token", auth=auth, **shown)
refreshed_api = session.get(base + "/v1/users/self").status_code
# Revocation is oauthlib's: it makes the request, and the app sends it.
url, headers, body = session._client.prepare_token_revocation_request(
    base + "/oauth/revoke", refreshed["refresh_token"], "refresh_token", **shown
)
requests.post(url, body, headers=headers, auth=auth, timeout=20).raise_for_status()
revoked_api = session.get(base + "/v1/users/self").status_code
dialogue.finish(
    token=token, api=api, refreshed=refreshed, refreshed_api=refreshed_api, revoked_api=revoked_api
)
