"""response_mode: does an answer stand in the query as it is, or there as one signed JWT? (JARM 2.3, RFC 6749 3.1.2)"""

from collections.abc import Mapping

from valetkey.protocol.errors import InvalidRequest
from valetkey.protocol.params import Params, parse
from valetkey.protocol.profile import Profile

LIFETIME = 300  # seconds (JARM 2.1: ten minutes at most)
MODES = ("query", "query.jwt", "jwt")
SIGNED = frozenset({"jwt", "query.jwt"})  # for response_type code they say the same (JARM 2.3.4)


def check(params: Params, profile: Profile, signs: bool) -> None:
    """A profile that knows no modes does not look. signs: whether there is a key for it. Raises InvalidRequest."""
    mode = params.get("response_mode")
    if mode is not None and profile.response_modes and mode not in profile.response_modes:
        raise InvalidRequest("response_mode_unknown", "this response_mode is not supported")
    if signed(params, profile) and not signs:
        raise InvalidRequest("answer_unsigned", "this server does not sign answers")


def signed(params: Params, profile: Profile) -> bool:
    """Whether the client asks for a signed answer, be it yes or no."""
    return params.get("response_mode") in SIGNED & profile.response_modes


def claims(redirect_uri: str, location: str, client_id: str, issuer: str, now: int) -> Mapping[str, object]:
    """What the JWT says: all that `location` has beyond the redirect_uri, from whom, for whom, till when (JARM 2.1)."""
    told = parse(location[len(redirect_uri) + 1 :].encode())
    return dict(told.items()) | {"iss": issuer, "aud": client_id, "exp": now + LIFETIME}
