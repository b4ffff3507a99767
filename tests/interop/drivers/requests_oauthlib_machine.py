"""requests-oauthlib without a person: BackendApplicationClient, by Basic and with the secret in the body."""

import os

import dialogue
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # loopback has no TLS
config = dialogue.config()


def token(in_body: bool) -> dict:
    client = BackendApplicationClient(config["client_id"], scope=config["scope"].split())
    return OAuth2Session(client=client).fetch_token(
        config["base"] + "/oauth/token",
        client_id=config["client_id"],
        client_secret=config["client_secret"],
        include_client_id=in_body,
    )


dialogue.finish(tokens=[token(False), token(True)])
