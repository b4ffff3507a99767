"""python-instagram: code, user, the user again by the API, and what it makes of refusals."""

from urllib.parse import parse_qs, urlsplit

import dialogue
from instagram.bind import InstagramAPIError
from instagram.client import InstagramAPI
from instagram.oauth2 import OAuth2AuthExchangeError

config = dialogue.config()


class Api(InstagramAPI):
    """The base URL, and nothing else."""

    protocol = "http"
    host = urlsplit(config["base"]).netloc
    authorize_url = config["base"] + "/oauth/authorize"
    access_token_url = config["base"] + "/oauth/access_token"


def words(call):
    """What the library raises, in its own words."""
    try:
        call()
    except (InstagramAPIError, OAuth2AuthExchangeError) as refusal:
        return str(refusal)
    return None


def fields(user):
    return {name: getattr(user, name) for name in ("id", "username", "full_name", "profile_picture")}


app = {name: config[name] for name in ("client_id", "client_secret", "redirect_uri")}
api = Api(**app)
login_page = api.get_authorize_login_url(scope=["basic"])
landed = dialogue.visit(api.get_authorize_url(scope=["basic"]))
(code,) = parse_qs(urlsplit(landed).query)["code"]

wrong_secret = words(lambda: Api(**{**app, "client_secret": "wrong"}).exchange_code_for_access_token(code))
token, user = api.exchange_code_for_access_token(code)

signed = Api(access_token=token, client_secret=config["client_secret"])
me = fields(signed.user())
rate = [signed.x_ratelimit, signed.x_ratelimit_remaining]
by_id = fields(Api(access_token=token).user(user["id"]))
nobody = words(lambda: Api(access_token=token).user("999999999999"))
bad_token = words(lambda: Api(access_token=token[:-1] + "x").user())

used_twice = words(lambda: api.exchange_code_for_access_token(code))
revoked = words(lambda: Api(access_token=token).user())

dialogue.finish(
    login_page=login_page,
    token=token,
    user=user,
    me=me,
    by_id=by_id,
    rate=rate,
    wrong_secret=wrong_secret,
    nobody=nobody,
    bad_token=bad_token,
    used_twice=used_twice,
    revoked=revoked,
)
