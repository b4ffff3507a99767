"""oauth20: the code flow of RFC 6749 as RFC 9700 wants it today: exact redirects, PKCE where the client sends it."""

from valetkey.protocol.profile import Assertions, Profile
from valetkey.protocol.rules import answers, jwt, redirect_uri

METHODS = (
    "client_secret_basic client_secret_post client_secret_jwt private_key_jwt"
    " tls_client_auth self_signed_tls_client_auth none".split()
)

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"

OAUTH20 = Profile(
    name="oauth20",
    grants=frozenset(
        {
            "authorization_code",
            "refresh_token",
            "client_credentials",
            DEVICE_CODE,
            TOKEN_EXCHANGE,
            JWT_BEARER,
        }
    ),
    response_types=frozenset({"code"}),
    response_modes=frozenset({"query", "query.jwt", "jwt"}),
    pushing="may",
    sender="may",
    resources="may",
    prompts=True,
    details=True,
    redirect_matches=redirect_uri.exact,
    loopback_ports=True,
    redirect_named=False,
    redirect_again=True,
    plain_http=False,
    pkce_required=False,
    partial_consent=True,
    always_scope=(),
    client_auth=frozenset(METHODS),
    assertions=Assertions(3600, jwt.SIGNED),
    credentials_twice=False,
    token_path="/oauth/token",
    token_form="prefixed",
    code_lifetime=60,
    token_lifetime=3600,
    refresh_rotates=True,
    token_in_query=False,
    errors_redirected=True,
    denial=answers.DENIAL,
    issuer_in_answer=True,
    error_answer=answers.error_answer,
    token_answer=answers.token_answer,
)
