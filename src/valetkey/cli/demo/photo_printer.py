"""Marmalade Prints, a shop that does not exist: a third-party app that asks for your photos in both flows.

It knows nothing of valetkey but what any developer knows: four addresses, a client id and a client secret.
"""

import hmac
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from msgspec import Struct
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from valetkey.cli.demo import exchange

HERE = Path(__file__).parent
STATE = "marmalade_state"
SCOPE = "basic public_content"


class Registration(Struct, frozen=True):
    """What the shop was given when it was registered, and its own address."""

    issuer: str
    home: str
    client_id: str
    client_secret: str

    @property
    def callback(self) -> str:
        """Where the server-side flow comes back to."""
        return f"{self.home}/callback"

    @property
    def browser_callback(self) -> str:
        """Where the client-side flow comes back to."""
        return f"{self.home}/browser-callback"


class Shop:
    """The pages."""

    def __init__(self, registration: Registration) -> None:
        self.registration = registration
        self.templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )

    async def home(self, request: Request) -> Response:
        """The shop window."""
        return self.page("home.html")

    async def start(self, request: Request) -> Response:
        """Step one of the server-side flow: send the browser to ask."""
        return self.ask("code", self.registration.callback)

    async def start_in_browser(self, request: Request) -> Response:
        """Step one of the client-side flow."""
        return self.ask("token", self.registration.browser_callback)

    def ask(self, response_type: str, redirect_uri: str) -> Response:
        """Send the browser to the authorization page; the state comes back only in this very browser."""
        state = secrets.token_urlsafe(16)
        query = {
            "client_id": self.registration.client_id,
            "redirect_uri": redirect_uri,
            "response_type": response_type,
            "scope": SCOPE,
            "state": state,
        }
        response = RedirectResponse(f"{self.registration.issuer}/oauth/authorize/?{urlencode(query)}", 303)
        response.set_cookie(STATE, state, max_age=3600, httponly=True, samesite="lax")
        return response

    async def callback(self, request: Request) -> Response:
        """The browser comes back with a code, or with a no."""
        turned_away = self.turned_away(request)
        if turned_away is not None:
            return turned_away
        code = request.query_params.get("code", "")
        said: dict[str, Any] = {
            "landed": str(request.url),
            "code": code,
            "curl": exchange.curl(self.registration, code),
        }
        try:
            token = await run_in_threadpool(exchange.token_for, self.registration, code)
            access_token = token.field("access_token")
            if access_token is None:
                return self.page("refused.html", **said, token=token, status=502)
            profile = await run_in_threadpool(exchange.profile, self.registration, access_token)
        except OSError as error:
            words = f"{self.registration.issuer}: {error}"
            return self.page("wrong.html", landed=said["landed"], words=words, status=502)
        user = token.field("user") or {}
        asked = f"{self.registration.issuer}/v1/users/self?access_token={access_token}"
        return self.page("printed.html", **said, token=token, profile=profile, asked=asked, user=user)

    async def browser_callback(self, request: Request) -> Response:
        """The browser comes back with a token that this server cannot see."""
        return self.turned_away(request) or self.page("in_browser.html", landed=str(request.url))

    def turned_away(self, request: Request) -> Response | None:
        """The page for a browser that did not come from us, or comes with a no."""
        query, landed = request.query_params, str(request.url)
        expected, given = request.cookies.get(STATE), query.get("state")
        if not expected or not given or not hmac.compare_digest(expected.encode(), given.encode()):
            words = "This visit does not continue one that began in this browser, so we stop here. Please start again."
            return self.page("wrong.html", landed=landed, words=words, status=400)
        if "error" in query:
            names = ("error", "error_reason", "error_description")
            return self.page(
                "denied.html", landed=landed, told=[(name, query.get(name, "")) for name in names]
            )
        return None

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page; its visit, if there was one, is over."""
        text = self.templates.get_template(template).render(shop=self.registration, **values)
        response = HTMLResponse(text, status, HEADERS | {"Content-Security-Policy": self.policy()})
        if template != "home.html":
            response.delete_cookie(STATE)
        return response

    def policy(self) -> str:
        """Our own files, and answers and pictures of the server."""
        issuer = self.registration.issuer
        return (
            f"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' {issuer}; "
            f"connect-src {issuer}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )


HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


def photo_printer(registration: Registration) -> Starlette:
    """The shop as an app."""
    shop = Shop(registration)
    return Starlette(
        routes=[
            Route("/", shop.home),
            Route("/print", shop.start),
            Route("/print-in-browser", shop.start_in_browser),
            Route("/callback", shop.callback),
            Route("/browser-callback", shop.browser_callback),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]
    )
