"""Dynamic registration over HTTP: JSON in, JSON out (RFC 7591 3, RFC 7592 2). Browser apps may ask, too."""

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from valetkey.protocol.endpoints.metadata import REGISTER
from valetkey.protocol.rules.headers import Headers
from valetkey.server import registration as acts
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.problems import Unavailable
from valetkey.server.registration import TooMany
from valetkey.server.settle import Busy
from valetkey.server.token import Reply
from valetkey.web import guard
from valetkey.web.body import Rejected, headers_of, not_now, read_body
from valetkey.web.oauth import BUG, CLOSE, OURS, RETRY, More, preflight, referred, rejected, send_json

log = structlog.get_logger("valetkey.registration")
NEW, KNOWN = ("POST",), ("GET", "PUT", "DELETE")
JSON_TYPES = (b"application/json", b"application/json;charset=utf-8")
NOTHING_SHOWN = ("initial_token_missing", "registration_token_missing")
LATER = [(b"retry-after", b"3600")]
TOO_MANY = Rejected(429, "registrations_many", "too many registrations or changes; please try again later")


def places(server: AuthorizationServer) -> dict[str, ASGIApp]:
    """Where apps register, if the operator lets them; each client is found below."""
    return {} if server.settings.joining.mode == "off" else {REGISTER: RegistrationEndpoint(server)}


class RegistrationEndpoint:
    """POST a new client; GET, PUT and DELETE one at the address that it was told."""

    def __init__(self, server: AuthorizationServer) -> None:
        self.server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing but JSON leaves here."""
        client_id = scope["path"].removeprefix(REGISTER).strip("/")
        methods = KNOWN if client_id else NEW
        if scope["method"] == "OPTIONS":
            return await preflight(send, ", ".join(methods).encode())
        try:
            if scope["method"] not in methods:
                raise Rejected(405, "method", f"only {', '.join(methods)} can be done here")
            answer = await self.answer(scope, receive, client_id)
        except Rejected as no:
            return await self.refuse(send, no, methods)
        except TooMany:
            return await self.refuse(send, TOO_MANY, methods)
        except (Busy, Unavailable) as error:
            return await self.refuse(send, not_now(error), methods)
        except Exception:
            reference = self.server.mint.reference()
            log.exception("registration_failed", reference=reference)
            return await self.refuse(send, BUG, methods, reference)
        more = self.note(scope["method"], answer)
        if answer.status == 204:
            return await nothing(send)
        await send_json(send, answer.status, answer.body, [*challenge(answer), *more])

    async def answer(self, scope: Scope, receive: Receive, client_id: str) -> Reply:
        """Who asks, and for what. Raises Rejected, TooMany, Busy, Unavailable."""
        given = headers_of(scope)
        authorization = given.get(b"authorization")
        headers = Headers(None if authorization is None else authorization.decode("latin-1"))
        if scope["method"] == "GET":
            return await acts.read(self.server, client_id, headers)
        if scope["method"] == "DELETE":
            return await acts.remove(self.server, client_id, headers)
        kind = given.get(b"content-type", b"").replace(b" ", b"").replace(b'"', b"").lower()
        if kind not in JSON_TYPES:
            raise Rejected(415, "content_type", "the body must be application/json")
        body = await read_body(receive, given)
        if scope["method"] == "PUT":
            return await acts.update(self.server, client_id, headers, body)
        return await acts.register(self.server, headers, guard.network(Request(scope)), body)

    def note(self, method: str, answer: Reply) -> More:
        """A line for the operator; the name of what was refused is told, too."""
        if answer.reason:
            reference = self.server.mint.reference()
            facts = {"reason": answer.reason, "client_id": answer.client_id[:40], "reference": reference}
            log.info("registration_refused", **facts)
            return referred(reference)
        if method != "GET":
            done = {"POST": "app_registered", "PUT": "app_changed", "DELETE": "app_removed"}[method]
            log.info(done, client_id=answer.client_id)
        return []

    async def refuse(self, send: Send, no: Rejected, methods: tuple[str, ...], reference: str = "") -> None:
        """A request that could not be read, or not now."""
        named = rejected(log, "registration_rejected", no, reference or self.server.mint.reference())
        body: dict[str, object] = {
            "error": OURS.get(no.status, "invalid_client_metadata"),
            "error_description": no.words,
        }
        allow: More = [(b"allow", ", ".join(methods).encode())]
        more = {405: allow, 503: RETRY, 429: LATER, 413: CLOSE}.get(no.status, [])
        await send_json(send, no.status, body, [*more, *named])


async def nothing(send: Send) -> None:
    """That it is gone (RFC 7592 2.3)."""
    headers = [(b"cache-control", b"no-store"), (b"access-control-allow-origin", b"*")]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def challenge(answer: Reply) -> More:
    """What to show instead (RFC 6750 3); that nothing was shown is no error (3.1)."""
    if answer.status != 401:
        return []
    error = b"" if answer.reason in NOTHING_SHOWN else b', error="invalid_token"'
    return [(b"www-authenticate", b'Bearer realm="valetkey"' + error)]
