"""requests-oauthlib with PKCE: Basic with a secret, the client_id in the body without one."""

import os

import dialogue
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
    include_client_id=None if secret else True,
)
answer = session.get(base + "/v1/users/self")
dialogue.finish(token=token, api=answer.status_code)
