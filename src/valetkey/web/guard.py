"""What a page asks before it answers: whose session, is the form ours, where is it from, where to next (R13-R17)."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from valetkey.protocol.errors import OAuthError
from valetkey.protocol.params import Params
from valetkey.protocol.rules.digest import digest
from valetkey.server import login
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.login import SignedIn
from valetkey.web import body as bodies
from valetkey.web.address import address, neighbourhood, within
from valetkey.web.body import Rejected, headers_of

SESSION, VISITOR = "valetkey", "valetkey_visitor"
COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")
VISITOR_SECONDS = 24 * 3600
FORM_VALUE_BYTES = 16 * 1024
UPLOAD_BYTES = 9 * 1024 * 1024
OWN_PATHS = re.compile(
    r"/(?:oauth/authorize/?\?.*|device(?:\?user_code=[A-Z]{4}-[A-Z]{4})?|accounts/(?:edit|manage_access|sessions|password/change)/|developer/[A-Za-z0-9/_-]*)"
)


class Refused(Exception):
    """A request that is not answered as asked: HTTP status, a stable slug for the log, plain words for the person."""

    def __init__(
        self, status: int, reason: str, words: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(words)
        self.status, self.reason, self.words, self.headers = status, reason, words, dict(headers or {})


def server_of(request: Request) -> AuthorizationServer:
    """The server this application speaks for."""
    return cast(AuthorizationServer, request.app.state.server)


def path_of(request: Request) -> str:
    """The path asked for. Not request.url, which reads the query as well, and that may be no text."""
    return cast(str, request.scope["path"])


def secure(request: Request) -> bool:
    """Whether people come by https, as the issuer says; never what a header says (R15)."""
    return server_of(request).book.issuer.startswith("https://")


def cookie(request: Request, name: str) -> str | None:
    """One of our own cookies, if it looks like one; whatever else this host's applications set is passed over.

    Under https its name is bound to this host (RFC 6265bis 4.1.3).
    """
    wanted = cookie_name(request, name)
    lines = b";".join(value for header, value in request.scope["headers"] if header == b"cookie")
    for pair in lines.decode("latin-1").split(";"):
        found, _, value = pair.strip().partition("=")
        if found == wanted and COOKIE_VALUE.fullmatch(value):
            return value
    return None


def cookie_name(request: Request, name: str) -> str:
    """The name with the prefix that browsers enforce, where they can."""
    return f"__Host-{name}" if secure(request) else name


def session_digest(request: Request) -> bytes | None:
    """The digest of the session id that the browser shows, if it shows one."""
    token = cookie(request, SESSION)
    return digest(token) if token else None


async def signed_in(request: Request) -> SignedIn | None:
    """Who is logged in; asked of the store once a request."""
    if not hasattr(request.state, "signed_in"):
        token = cookie(request, SESSION)
        request.state.signed_in = await login.signed_in(server_of(request), token) if token else None
    return cast(SignedIn | None, request.state.signed_in)


def set_session(response: Response, token: str, request: Request) -> None:
    """Give the browser its session id."""
    limit = server_of(request).settings.session.absolute
    put_cookie(response, request, SESSION, token, limit)


def clear_session(response: Response, request: Request) -> None:
    """Take the session id away from the browser."""
    put_cookie(response, request, SESSION, "", 0)


def put_cookie(response: Response, request: Request, name: str, value: str, seconds: int) -> None:
    """One of our cookies, with every restriction that browsers know (G2)."""
    response.set_cookie(
        cookie_name(request, name), value, seconds, path="/", secure=secure(request), httponly=True, samesite="lax"
    )  # fmt: skip


def csrf(request: Request) -> str:
    """The token for a form's hidden field `csrf`, bound to the session or, before login, to this visitor (R13)."""
    key = cookie(request, SESSION) or cookie(request, VISITOR) or getattr(request.state, "visitor", None)
    if key is None:
        key = request.state.visitor = server_of(request).mint.text()
    return csrf_for(key)


def csrf_for(key: str) -> str:
    """The one token that goes with a cookie; nobody can make it who cannot read the cookie."""
    return hmac.new(key.encode(), b"valetkey csrf", hashlib.sha256).hexdigest()


def check_origin(request: Request) -> None:
    """A form of ours is sent from a page of ours; a browser says so (Fetch metadata, RFC 6454). Raises Refused."""
    headers = headers_of(request.scope)
    site = headers.get(b"sec-fetch-site")
    if site is not None and site not in (b"same-origin", b"none"):
        raise Refused(403, "cross_site", "This form was sent from another site.")
    origin = headers.get(b"origin", b"null").decode("latin-1")
    if origin == "null":  # our pages send no referrer, and then browsers send no origin either
        return
    ours = urlsplit(server_of(request).book.issuer).netloc
    if origin.partition("://")[2] not in (ours, headers.get(b"host", b"").decode("latin-1")):
        raise Refused(403, "cross_origin", "This form was sent from another site.")


async def read_form(request: Request, at_the_door: bool = False) -> Params:
    """A form of ours, read within limits and proven to be ours. Raises Refused.

    at_the_door: people log in with it, and another tab may have done so since the form was shown (H7).
    """
    params, _ = await read_fields(request, bodies.BODY_BYTES)
    check_token(request, params, at_the_door)
    return params


async def read_upload(request: Request, field: str) -> tuple[Params, bytes]:
    """A form of ours with a file in this field; no bytes when none was chosen. Raises Refused."""
    params, upload = await read_fields(request, UPLOAD_BYTES)
    check_token(request, params)
    return params, upload.content if upload is not None and upload.field == field else b""


async def read_fields(request: Request, most: int) -> tuple[Params, bodies.Upload | None]:
    """The fields of a form from a page of ours, whoever it was shown to. Raises Refused."""
    check_origin(request)
    headers = headers_of(request.scope)
    try:
        data = await bodies.read_body(request.receive, headers, most)
        query = bodies.read_query(request.scope)
        params, upload = bodies.read_form(data, headers.get(b"content-type", b""), FORM_VALUE_BYTES)
    except Rejected as no:
        raise Refused(no.status, no.reason, f"The form could not be read: {no.words}.") from None
    except OAuthError as no:
        raise Refused(400, no.reason, f"The form could not be read: {no.description}.") from None
    if any(name in params for name, _ in query.items()):
        raise Refused(
            400, "parameter_twice", "The form could not be read: a field stands in the address too."
        )
    return params, upload


def check_token(request: Request, params: Params, at_the_door: bool = False) -> None:
    """The form was shown in this very session or, before login, to this visitor (R13). Raises Refused."""
    shown = (params.get("csrf") or "").encode()
    keys = [key for key in (cookie(request, SESSION), cookie(request, VISITOR)) if key]
    counting = keys if at_the_door else keys[:1]
    if not any(hmac.compare_digest(csrf_for(key).encode(), shown) for key in counting):
        raise Refused(
            403, "csrf", "This page is too old, or cookies are off. Please go back, reload and try again."
        )


def safe_next(value: str | None) -> str:
    """Where to go after login: a path of ours out of a fixed list, otherwise home (R15, E1)."""
    if value and value.isascii() and value.isprintable() and "\\" not in value and OWN_PATHS.fullmatch(value):
        return value
    return "/"


def network(request: Request) -> str:
    """Where a request comes from, as throttling counts it.

    A proxy is believed only if the operator trusts its address; what cannot be read is not believed (J13).
    """
    client = request.client.host if request.client else ""
    trusted = server_of(request).settings.server.trusted_proxies
    if within(client, trusted):
        hops = headers_of(request.scope).get(b"x-forwarded-for", b"").decode("latin-1").split(",")
        for hop in reversed([hop.strip() for hop in hops]):
            if not within(hop, trusted):
                client = hop if address(hop) else client
                break
    return neighbourhood(client) or "unknown"
