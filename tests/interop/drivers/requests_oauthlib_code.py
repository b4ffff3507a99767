"""requests-oauthlib, the server-side flow: WebApplicationClient, credentials in the body, as the origin wants them."""

import os

import dialogue
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient
from requests_oauthlib import OAuth2Session

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # loopback has no TLS
config = dialogue.config()
base, secret = config["base"], config["client_secret"]

# The token in the query, where the origin's API wanted it; requests_oauthlib_implicit.py sends it in the header.
client = WebApplicationClient(config["client_id"], default_token_placement="query")
session = OAuth2Session(client=client, redirect_uri=config["redirect_uri"], scope=["basic"])
url, state = session.authorization_url(base + "/oauth/authorize/")
landed = dialogue.visit(url)
try:
    token = session.fetch_token(
        base + "/oauth/access_token",
        authorization_response=landed,
        include_client_id=True,
        client_secret=secret,
        # The same once more in the header: a server that knows only one place must not mind the other.
        auth=(config["client_id"], secret),
    )
except OAuth2Error as refusal:
    dialogue.finish(error=refusal.error, description=refusal.description)
else:
    answer = session.get(base + "/v1/users/self")
    dialogue.finish(token=token, me=answer.json(), status=answer.status_code, called=answer.url)
