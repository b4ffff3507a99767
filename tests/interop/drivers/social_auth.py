"""social-auth-core 1.7.0: its Instagram backend and its whole pipeline, with the storage it ships for tests.

The backend fetches the profile from the origin's own address, which is written into its code; ../origin_host.py
stands there, and the environment (HTTPS_PROXY, REQUESTS_CA_BUNDLE) leads to it.
"""

from urllib.parse import parse_qsl, urlsplit

import dialogue
from social_core.backends.instagram import InstagramOAuth2
from social_core.exceptions import AuthCanceled
from social_core.tests.models import TestStorage
from social_core.tests.strategy import TestStrategy

config = dialogue.config()


class Backend(InstagramOAuth2):
    """The base URL, and nothing else."""

    AUTHORIZATION_URL = config["base"] + "/oauth/authorize"
    ACCESS_TOKEN_URL = config["base"] + "/oauth/access_token"


strategy = TestStrategy(TestStorage)
strategy.set_settings(
    {
        "SOCIAL_AUTH_INSTAGRAM_KEY": config["client_id"],
        "SOCIAL_AUTH_INSTAGRAM_SECRET": config["client_secret"],
        "SOCIAL_AUTH_INSTAGRAM_SCOPE": ["basic"],
        "SOCIAL_AUTH_USER_FIELDS": ["username", "email", "fullname"],
    }
)
backend = Backend(strategy, redirect_uri=config["redirect_uri"])
landed = dialogue.visit(backend.start().url)
strategy.set_request_data(dict(parse_qsl(urlsplit(landed).query)), backend)
try:
    user = backend.complete()
except AuthCanceled as refusal:
    dialogue.finish(canceled=str(refusal), landed=landed)
else:
    (social,) = user.social
    profile = backend.user_data(social.extra_data["access_token"])
    dialogue.finish(
        landed=landed,
        username=user.username,
        names=user.extra_user_fields,
        uid=social.uid,
        extra_data=social.extra_data,
        profile=profile,
    )
