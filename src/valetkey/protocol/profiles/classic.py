"""classic: the origin document, to the letter. The only place that knows its words (classic.md)."""

from valetkey.protocol.profile import Assertions, ErrorAnswer, Profile, TokenAnswer
from valetkey.protocol.rules import redirect_uri

MUST_INCLUDE = "You must include a valid client_id, response_type, and redirect_uri parameters"
NO_SUCH_CODE = "Matching code was not found or was already used."
ONLY_CODE_GRANT = 'Only grant type "authorization_code" is allowed'

# reason -> the message that clients of the era match
WORDS = {
    "authorize_client_id_missing": MUST_INCLUDE,
    "authorize_redirect_uri_missing": MUST_INCLUDE,
    "response_type_missing": MUST_INCLUDE,
    "client_unknown": "Invalid Client ID",
    "redirect_uri_unregistered": "Redirect URI does not match registered redirect URI",
    "response_type_unknown": 'Only response type "code" and "token" is allowed',
    "implicit_disabled": "Implicit authentication is disabled",
    "not_a_tester": "You are not a sandbox user of this client",
    "client_id_missing": "You must provide a client_id",
    "secret_missing": "You must provide a client_secret",
    "grant_type_missing": "You must provide a grant_type",
    "redirect_uri_missing": "You must provide a redirect_uri",
    "code_missing": "You must provide a code",
    "secret_wrong": "Invalid Client Secret",
    "code_unknown": NO_SUCH_CODE,
    "code_spent": NO_SUCH_CODE,
    "code_expired": NO_SUCH_CODE,
    "code_revoked": NO_SUCH_CODE,
    "redirect_uri_differs": "Redirect URI doesn't match original redirect URI",
    "grant_type_unknown": ONLY_CODE_GRANT,
}
FORBIDDEN = frozenset({"implicit_disabled", "not_a_tester", "sig_missing", "sig_wrong"})


def error_answer(code: str, reason: str, description: str, subject: str) -> ErrorAnswer:
    """The origin's flat form: code, error_type, error_message."""
    status = 403 if reason in FORBIDDEN else 400
    kind = "OAuthForbiddenException" if status == 403 else "OAuthException"
    message = (
        f"Invalid scope field(s): {subject}" if code == "invalid_scope" else WORDS.get(reason, description)
    )
    return status, {"code": status, "error_type": kind, "error_message": message}


def token_answer(told: TokenAnswer) -> dict[str, object]:
    """Exactly the token and the user who said yes (D10)."""
    return {"access_token": told.token, "user": told.person}


CLASSIC = Profile(
    name="classic",
    grants=frozenset({"authorization_code"}),
    response_types=frozenset({"code", "token"}),
    response_modes=frozenset(),
    pushing="never",
    sender="never",
    resources="never",
    prompts=False,
    details=False,
    redirect_matches=redirect_uri.with_extra_query,
    loopback_ports=False,
    redirect_named=True,
    redirect_again=True,
    plain_http=True,
    pkce_required=False,
    partial_consent=False,
    always_scope=("basic",),
    client_auth=frozenset({"client_secret_post"}),
    assertions=Assertions(0, frozenset()),  # the origin knows none
    credentials_twice=True,
    token_path="/oauth/access_token",
    token_form="classic",
    code_lifetime=600,
    token_lifetime=None,
    refresh_rotates=False,  # there are none
    token_in_query=True,
    errors_redirected=False,
    denial=(
        ("error", "access_denied"),
        ("error_reason", "user_denied"),
        ("error_description", "The user denied your request"),
    ),
    issuer_in_answer=False,
    error_answer=error_answer,
    token_answer=token_answer,
)
