"""Authlib without a person: client_credentials, first by Basic, then with the secret in the body."""

import dialogue
from authlib.integrations.requests_client import OAuth2Session

config = dialogue.config()


def token(method: str) -> dict:
    session = OAuth2Session(
        config["client_id"],
        config["client_secret"],
        token_endpoint_auth_method=method,
        scope=config["scope"],
    )
    return session.fetch_token(config["base"] + "/oauth/token", grant_type="client_credentials")


dialogue.finish(tokens=[token("client_secret_basic"), token("client_secret_post")])
