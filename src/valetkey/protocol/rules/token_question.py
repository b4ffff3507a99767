"""A question about a token: which one is it, and who asks? (RFC 7662 2.1, RFC 7009 2.1)"""

from msgspec import Struct

from valetkey.protocol.errors import InvalidRequest
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import credentials
from valetkey.protocol.rules.checksum import misspelt
from valetkey.protocol.rules.credentials import Credentials
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.rules.headers import Headers

BODY_ONLY = frozenset(
    "client_id client_secret client_assertion client_assertion_type token token_type_hint".split()
)
REFRESH = "vk_rt_"


class TokenQuestion(Struct, frozen=True):
    """Who asks, and about which token; an empty digest is that of nothing. `profile` is the one whose endpoint this is.

    A token says itself what it is, so the hint that comes with it is not needed, and a wrong one does no harm.
    """

    shown: Credentials
    token: str
    digest: bytes
    profile: Profile
    accept: str = ""

    @property
    def refresh(self) -> bool:
        """Whether it is about a refresh token."""
        return self.token.startswith(REFRESH)


def read(params: Params, query: Params, headers: Headers, profile: Profile) -> TokenQuestion:
    """The question, and what must be looked up for it. Raises OAuthError."""
    if query and any(name in params or name in BODY_ONLY for name, _ in query.items()):
        raise InvalidRequest("query_used", "parameters belong into the body, not into the query string")
    shown = credentials.read(params, headers, profile)
    token = params.get("token")
    if token is None:
        raise InvalidRequest("token_missing", "token is missing")
    return TokenQuestion(shown, token, b"" if misspelt(token) else digest(token), profile, headers.accept)
