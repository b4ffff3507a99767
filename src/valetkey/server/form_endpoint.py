"""What every endpoint that a client posts a form to does alike: read, act, or refuse in the profile's words."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Protocol, TypeVar

from valetkey.protocol.decision import Refused
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules.credentials import Credentials
from valetkey.protocol.rules.headers import Headers
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.token import Reply, refused


class Request(Protocol):
    """Whatever is asked says by whom."""

    @property
    def shown(self) -> Credentials: ...


Asked = TypeVar("Asked", bound=Request)
Read = Callable[[Params, Params, Headers, Profile], Asked]
Act = Callable[[AuthorizationServer, Asked], Awaitable[Reply | Refused]]
Endpoint = Callable[[AuthorizationServer, Profile, Params, Params, Headers], Awaitable[Reply]]


def reads(read: Read[Asked]) -> Callable[[Act[Asked]], Endpoint]:
    """Give what acts on a request the request that `read` makes of body, query string and headers."""

    def endpoint(act: Act[Asked]) -> Endpoint:
        @wraps(act)
        async def answer(
            server: AuthorizationServer, profile: Profile, params: Params, query: Params, headers: Headers
        ) -> Reply:
            try:
                request = read(params, query, headers, profile)
            except OAuthError as error:
                return refused(error, profile, params.get("client_id") or "")
            done = await act(server, request)
            if isinstance(done, Refused):
                return refused(done.error, done.profile, request.shown.client_id)
            return done

        return answer

    return endpoint
