"""requests-oauthlib, the implicit flow: MobileApplicationClient takes the token out of the fragment."""

import os
from urllib.parse import parse_qs, urlsplit

import dialogue
from oauthlib.oauth2 import MobileApplicationClient
from requests_oauthlib import OAuth2Session

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # loopback has no TLS
config = dialogue.config()
base = config["base"]


def no_state():
    """oauthlib looks for the state in the fragment; this server gives it back in the query."""
    return None


def session(state=None):
    client = MobileApplicationClient(config["client_id"])
    return OAuth2Session(client=client, redirect_uri=config["redirect_uri"], scope=["basic"], state=state)


plain = session(state=no_state)
url, _ = plain.authorization_url(base + "/oauth/authorize/")
landed = dialogue.visit(url)
token = plain.token_from_fragment(landed)
answer = plain.get(base + "/v1/users/self")

# With a state: the app compares it itself, then hands the answer to the client.
stateful = session()
url, state = stateful.authorization_url(base + "/oauth/authorize/")
landed_with_state = dialogue.visit(url)
try:
    stateful.token_from_fragment(landed_with_state)
    refused = None
except ValueError as error:
    refused = str(error)
given_back = parse_qs(urlsplit(landed_with_state).query)["state"] == [state]
second = MobileApplicationClient(config["client_id"]).parse_request_uri_response(landed_with_state)

dialogue.finish(
    landed=landed,
    token=token,
    me=answer.json(),
    status=answer.status_code,
    sent=answer.request.headers["Authorization"],
    state_given_back=given_back,
    refused_with_state=refused,
    second=second,
)
