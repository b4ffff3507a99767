"""Is this the request that was pushed, and what did it say? (RFC 9126 2.2 and 4, RFC 9101 5; A17)"""

from urllib.parse import quote

from valetkey.protocol.errors import InvalidRequest, InvalidRequestUri
from valetkey.protocol.model import Client, PushedRequest
from valetkey.protocol.params import SEVERAL, Params, parse
from valetkey.protocol.profile import Profile

URN = "urn:ietf:params:oauth:request_uri:"
LIFETIME = 540  # seconds, less than ten minutes (FAPI 2.0 5.3.2.2)
LONGEST = 8 * 1024  # characters of one pushed value
CREDENTIALS = frozenset("client_id client_secret client_assertion client_assertion_type".split())


def query(params: Params, client: Client, jkt: str) -> bytes:
    """What is kept of the parameters that a client pushed: all but what it authenticated with, and its DPoP key."""
    own = [pair for pair in params.spelled() if pair.partition("=")[0] not in CREDENTIALS]
    key = [f"dpop_jkt={jkt}"] if jkt and params.get("dpop_jkt") is None else []
    return "&".join((f"client_id={quote(client.id, safe='')}", *own, *key)).encode()


def resolve(
    params: Params, client: Client, profile: Profile, pushed: PushedRequest | None, now: int | None
) -> Params:
    """The parameters that count: the pushed ones, and nothing beside them. Raises InvalidRequest, InvalidRequestUri.

    now: None once the person was asked about it: the question was put in time, and they may take theirs.
    """
    named = params.get("request_uri")
    if profile.pushing == "never":
        return params
    if named is None:
        if profile.pushing == "must" or client.registered.require_pushed_authorization_requests:
            raise InvalidRequest(
                "push_missing", "this client must push its authorization requests (RFC 9126)"
            )
        return params
    if not named.startswith(URN):  # it is not fetched, whatever it is (A17)
        raise InvalidRequestUri("request_uri_foreign", "request_uri was not issued by this server")
    if pushed is None or pushed.client_id != client.id:
        raise InvalidRequestUri("request_uri_unknown", "request_uri is unknown")
    if pushed.spent_at is not None:
        raise InvalidRequestUri("request_uri_spent", "request_uri was used before")
    if now is not None and pushed.expires_at <= now:
        raise InvalidRequestUri("request_uri_expired", "request_uri has expired")
    return parse(pushed.query, longest=LONGEST, several=SEVERAL)
