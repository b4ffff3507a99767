"""Logging in, logging out, making an account. No message tells whether an account exists (R16)."""

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from valetkey.protocol.model import Account, Client
from valetkey.server import accounts
from valetkey.server import login as acts
from valetkey.server.asked_at import NAME as ASKED_AT
from valetkey.server.login import Attempt, LoggedIn, Throttled
from valetkey.server.problems import NotFound, Problems
from valetkey.server.pushed_request import going_to
from valetkey.web import guard
from valetkey.web.guard import server_of
from valetkey.web.pages.forms import Errors, said, wait
from valetkey.web.render import called, leads_to, page

WRONG = "That username and password do not belong together."
LOGGED_OUT = {
    "title": "You are logged out",
    "words": "Apps you have allowed keep their access; you can end it under Connected apps.",
    "onward": "/accounts/login/",
    "onward_words": "Log in again",
}
LABELS = {
    "username": ("username", "Username"),
    "full_name": ("full_name", "Your name"),
    "email": ("email", "E-mail"),
    "password": ("password", "Password"),
}


class Onward(Struct, frozen=True):
    """Where people go on to: a path of ours, and the app and redirect_uri that an authorization request there names."""

    path: str
    client: Client | None = None
    redirect_uri: str = ""


def login_page(
    request: Request, onward: Onward, more: Mapping[str, object] | None = None, status: int = 200
) -> Response:
    """The login screen. more: form, errors, account."""
    server = server_of(request)
    facts: dict[str, object] = {
        "next": onward.path,
        "app": called(onward.client)
        if onward.client
        else "your device"
        if onward.path.startswith("/device")
        else "",
        "again": f"&{ASKED_AT}=" in onward.path,
        "host": urlsplit(server.book.issuer).netloc,
        "sign_up_open": server.settings.accounts.signup,
        "sign_up": with_next("/accounts/signup/", onward.path),
    }
    return page(request, "login.html", facts | dict(more or {}), status, leads_to(onward.redirect_uri))


def with_next(path: str, next_path: str) -> str:
    """A path of ours that knows where to go on to."""
    return path if next_path == "/" else f"{path}?{urlencode({'next': next_path})}"


async def onward(request: Request, next_path: str) -> Onward:
    """What is known of where people go on to."""
    if not next_path.startswith("/oauth/authorize"):
        return Onward(next_path)
    return Onward(next_path, *await going_to(server_of(request), urlsplit(next_path).query.encode()))


async def login(request: Request) -> Response:
    """/accounts/login/"""
    who = await guard.signed_in(request)
    if request.method != "POST":
        next_path = guard.safe_next(request.query_params.get("next"))
        account = {"account": who.account if who else None}
        return login_page(request, await onward(request, next_path), account)
    form = await guard.read_form(request, at_the_door=True)
    next_path = guard.safe_next(form.get("next"))
    username, password = form.get("username") or "", form.get("password") or ""
    outcome = await acts.log_in(
        server_of(request), attempt(request, username, password), who.session if who else None
    )
    if isinstance(outcome, LoggedIn):
        return entered(request, outcome.token, next_path)
    words = wait(outcome) if isinstance(outcome, Throttled) else WRONG
    again = {"form": {"username": username[:64]}, "errors": {"": words}}
    status = 429 if isinstance(outcome, Throttled) else 400
    response = login_page(request, await onward(request, next_path), again, status)
    if isinstance(outcome, Throttled):
        response.headers["Retry-After"] = str(outcome.seconds)
    return response


def attempt(request: Request, username: str, password: str) -> Attempt:
    """A login form with where it came from."""
    return Attempt(username, password, guard.network(request), request.headers.get("user-agent", ""))


def entered(request: Request, token: str, next_path: str) -> Response:
    """Go on, logged in."""
    response = RedirectResponse(next_path, 303)
    guard.set_session(response, token, request)
    return response


async def logout(request: Request) -> Response:
    """/accounts/logout/"""
    await guard.read_form(request)
    who = await guard.signed_in(request)
    if who is not None:
        await acts.log_out(server_of(request), who.session)
    response = page(request, "message.html", LOGGED_OUT)
    guard.clear_session(response, request)
    return response


async def signup(request: Request) -> Response:
    """/accounts/signup/"""
    server = server_of(request)
    if not server.settings.accounts.signup:
        raise NotFound
    if request.method != "POST":
        return await signup_page(request, guard.safe_next(request.query_params.get("next")), {}, {})
    form = await guard.read_form(request, at_the_door=True)
    next_path = guard.safe_next(form.get("next"))
    given = {name: form.get(name) or "" for name in LABELS}
    throttled = await acts.count_sign_up(server, guard.network(request))
    if throttled is not None:
        response = await signup_page(request, next_path, given | {"password": ""}, {"": wait(throttled)})
        response.status_code = 429
        response.headers["Retry-After"] = str(throttled.seconds)
        return response
    try:
        account = await accounts.sign_up(server, accounts.SignUp(**given))
    except Problems as problems:
        kept = given | {"password": ""}
        return await signup_page(request, next_path, kept, said(problems, LABELS))
    return entered(request, await first_session(request, account), next_path)


async def first_session(request: Request, account: Account) -> str:
    """Who has just made an account need not type it again; a session of somebody else in this browser ends."""
    who = await guard.signed_in(request)
    started = attempt(request, account.username, "")
    return await acts.open_session(server_of(request), account, started, who.session if who else None)


async def signup_page(request: Request, next_path: str, form: Errors, errors: Errors) -> Response:
    """The sign-up screen."""
    shortest = server_of(request).settings.accounts.password_length
    facts = {"next": next_path, "log_in": with_next("/accounts/login/", next_path), "shortest": shortest}
    facts |= {"form": form, "errors": errors}
    leads = leads_to((await onward(request, next_path)).redirect_uri)
    return page(request, "signup.html", facts, 400 if errors else 200, leads)


ROUTES = [
    Route("/accounts/login/", login, methods=["GET", "POST"]),
    Route("/accounts/logout/", logout, methods=["POST"]),
    Route("/accounts/signup/", signup, methods=["GET", "POST"]),
]
