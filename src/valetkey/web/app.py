"""Every route on one page, and create_app(server) -> ASGI."""

import contextlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from valetkey.protocol.endpoints.metadata import DEVICE_AUTHORIZATION, INTROSPECT, JWKS, PAR, REVOKE, TOKEN
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.rules.pushed_request import LONGEST
from valetkey.server import housekeeping, metadata
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.device_authorization import device_authorization
from valetkey.server.introspect import introspect
from valetkey.server.pushed_request import push
from valetkey.server.revoke import revoke
from valetkey.web import below, console, pages, registration
from valetkey.web.documents import DocumentEndpoint
from valetkey.web.frame import Frame
from valetkey.web.guard import server_of
from valetkey.web.oauth import AuthorizeEndpoint, FormEndpoint
from valetkey.web.users import UsersEndpoint

STATIC = Path(__file__).parent / "static"
API = "/v1/"
LONGEST_TOKEN = 16 * 1024  # a JWT says much of itself
FOR_EVER = "public, max-age=31536000, immutable"


def create_app(server: AuthorizationServer) -> ASGIApp:
    """The whole server as one ASGI application; its lifespan opens and closes the server."""
    return Front(server)


def protocol_paths(server: AuthorizationServer) -> dict[str, ASGIApp]:
    """The protocol's own endpoints: raw ASGI, found by one dictionary look-up."""
    authorize, consent = Frame(AuthorizeEndpoint(server)), Frame(AuthorizeEndpoint(server, consent=True))
    classic, today = FormEndpoint(server, PROFILES["classic"]), PROFILES["oauth21"]
    jwks, abilities = DocumentEndpoint(server.keys.jwks), DocumentEndpoint(partial(metadata.metadata, server))
    return {
        "/oauth/authorize": authorize,
        "/oauth/authorize/": authorize,
        "/oauth/authorize/consent": consent,
        "/oauth/access_token": classic,
        "/oauth/access_token/": classic,
        TOKEN: FormEndpoint(server, today, longest=LONGEST),
        PAR: FormEndpoint(server, today, push, "request_uri", LONGEST),
        INTROSPECT: FormEndpoint(server, today, introspect, "introspection", LONGEST_TOKEN),
        REVOKE: FormEndpoint(server, today, revoke, "revocation", LONGEST_TOKEN),
        DEVICE_AUTHORIZATION: FormEndpoint(server, today, device_authorization, "device_code", LONGEST),
        JWKS: jwks,
        "/.well-known/jwks.json": jwks,
        **registration.places(server),
        **dict.fromkeys(metadata.places(server), abilities),
    }


def routes() -> list[BaseRoute]:
    """Everything else."""
    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/robots.txt", robots),
        Route("/favicon.ico", favicon),
        Route("/.well-known/change-password", change_password),
        Route("/pictures/{name}.jpg", picture),
        Mount("/static", OwnFiles(directory=STATIC)),
        *pages.ROUTES,
        *console.ROUTES,
        *without_slash([*pages.ROUTES, *console.ROUTES]),
    ]


def without_slash(known: list[BaseRoute]) -> list[BaseRoute]:
    """Who forgets the slash at the end of a page's address is led on: by our own path, never by Host (E3, A11)."""
    paths = [route.path for route in known if isinstance(route, Route) and "GET" in (route.methods or ())]
    return [led_on(path) for path in paths if path.endswith("/") and path != "/" and "{" not in path]


def led_on(path: str) -> Route:
    """From a page's address without its slash to the one with it."""

    async def onward(request: Request) -> Response:
        return Response(status_code=302, headers={"Location": path})

    return Route(path.removesuffix("/"), onward)


class Front:
    """Protocol endpoints first; the pages behind them, in their frame."""

    def __init__(self, server: AuthorizationServer) -> None:
        self.state = State({"server": server})
        self.prefix = urlsplit(server.book.issuer).path
        self.paths = protocol_paths(server)
        self.below: dict[str, ASGIApp] = {API: UsersEndpoint(server)}
        self.below |= {path + "/": app for path, app in registration.places(server).items()}
        site = routes()
        self.site = Router(site, redirect_slashes=False, lifespan=lifespan)
        shown = [route.path for route in site if isinstance(route, Route | Mount)]
        self.known = {below.first(path) for path in (*self.paths, *self.below, *shown)}
        self.framed = Frame(self.site)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find who answers."""
        scope["app"] = self
        if scope["type"] == "http":
            path: str = scope["path"]
            if scope.get(
                "root_path"
            ):  # mounted somewhere in another application (ASGI, HTTP connection scope)
                path = scope["path"] = path.removeprefix(scope["root_path"])
            if self.prefix:
                path = below.inside(scope, self.prefix, self.known)
                send = below.redirects(send, self.prefix)
            return await (self.paths.get(path) or self.other(path))(scope, receive, send)
        return await self.site(scope, receive, send)

    def other(self, path: str) -> ASGIApp:
        """Who answers below a path, and the pages for all else."""
        for start, app in self.below.items():
            if path.startswith(start):
                return app
        return self.framed


@contextlib.asynccontextmanager
async def lifespan(front: Any) -> AsyncIterator[None]:
    """Open the server before the first request, close it after the last."""
    server: AuthorizationServer = front.state.server
    await server.open()
    try:
        async with housekeeping.running(server):
            yield
    finally:
        await server.close()


async def healthz(request: Request) -> Response:
    """Whether this process answers and its database too."""
    return await readyz(request)


async def readyz(request: Request) -> Response:
    """Whether requests may be sent here."""
    ready = await server_of(request).store.ready()
    if ready:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "not ready"}, 503, {"Retry-After": "1"})


async def robots(request: Request) -> Response:
    """Nothing here is for search engines."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


async def favicon(request: Request) -> Response:
    """The little picture of a browser tab."""
    return Response((STATIC / "favicon.ico").read_bytes(), 200, {"Cache-Control": FOR_EVER}, "image/x-icon")


async def change_password(request: Request) -> Response:
    """Where password managers send people (W3C, A Well-Known URL for Changing Passwords)."""
    return Response(status_code=302, headers={"Location": "/accounts/password/change/"})


async def picture(request: Request) -> Response:
    """A profile picture; its name is the digest of its bytes, so it can be kept for ever."""
    content = await server_of(request).store.picture(request.path_params["name"])
    if content is None:
        return PlainTextResponse("there is no such picture", 404)
    return Response(content, 200, {"Cache-Control": FOR_EVER}, "image/jpeg")


class OwnFiles(StaticFiles):
    """Our own static files. An address that carries a digest of the content can be kept for ever."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, with what lets a browser keep it."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = FOR_EVER
        return response
