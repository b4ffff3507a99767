"""Authlib's OAuth2Session: client_secret_post, the token in the Authorization header."""

import dialogue
from authlib.integrations.requests_client import OAuth2Session

config = dialogue.config()
base = config["base"]

session = OAuth2Session(
    config["client_id"],
    config["client_secret"],
    token_endpoint_auth_method="client_secret_post",
    redirect_uri=config["redirect_uri"],
    scope="basic",
)
url, state = session.create_authorization_url(base + "/oauth/authorize")
landed = dialogue.visit(url)
token = session.fetch_token(base + "/oauth/access_token", authorization_response=landed, state=state)
answer = session.get(base + "/v1/users/self")
dialogue.finish(
    token=token, me=answer.json(), status=answer.status_code, sent=answer.request.headers["Authorization"]
)
