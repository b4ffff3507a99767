"""One app: quick start, settings, secrets, redirect checker, testers, and its end. Somebody else's is a 404 (D9)."""

import re

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from valetkey.protocol.model import Client
from valetkey.server import clients
from valetkey.server.clients import NewClient
from valetkey.server.login import SignedIn
from valetkey.server.problems import NotFound, Problems
from valetkey.web import guard
from valetkey.web.console import registered
from valetkey.web.console.apps import LABELS, offered, said_of, secret_page, typed
from valetkey.web.console.checker import allows_more, check
from valetkey.web.console.quick_start import quick_start
from valetkey.web.console.words import EXAMPLES, OVERLAPS, TYPES
from valetkey.web.guard import server_of
from valetkey.web.pages.forms import Errors, back_to, done_words, password_wrong, said, signed_in_only
from valetkey.web.render import minute, page

PATH = "/developer/apps/{client_id}/"
CLIENT_ID = re.compile(r"[A-Za-z0-9._\-]{1,100}")


async def its_client(request: Request, who: SignedIn) -> Client:
    """The app in the path, if it is this developer's. Raises NotFound."""
    client_id: str = request.path_params["client_id"]
    if not CLIENT_ID.fullmatch(client_id):
        raise NotFound
    return await clients.one(server_of(request), who.account, client_id)


def filled(client: Client) -> Errors:
    """The settings form as the app stands."""
    return {
        "name": client.name,
        "description": client.description,
        "website": client.website,
        "redirect_uris": "\n".join(client.redirect_uris),
        "profile": client.profile,
        "disable_implicit": "" if client.allow_implicit else "yes",
        "signed_requests": "yes" if client.signed_requests else "",
        "sandbox": "yes" if client.sandbox else "",
        **registered.filled(client),
    }


async def app_page(
    request: Request, who: SignedIn, client: Client, errors: Errors | None = None, form: Errors | None = None
) -> Response:
    """Everything about one app."""
    server, given = server_of(request), request.query_params.get("check", "").strip()
    facts = {
        "account": who.account,
        "area": "developer",
        "client": client,
        "errors": errors or {},
        "form": form or filled(client),
        "types": TYPES,
        "profiles": offered(request),
        "registered": registered.offered(client, server.book),
        "endless": server.book.profiles[client.profile].token_lifetime is None,
        "steps": quick_start(client, server.book.issuer, server.book.profiles[client.profile]),
        "overlaps": OVERLAPS,
        "check": given,
        "verdicts": check(server, client, given) if given else [],
        "examples": EXAMPLES if allows_more(server.book.profiles[client.profile]) else (),
        "testers": await clients.testers(server, client) if client.sandbox else [],
        "notices": await clients.notices(server, client),
        "window": server.book.retry_window,
        "done": done_words(request),
    }
    return page(request, "developer/app.html", facts, 400 if errors else 200)


@signed_in_only
async def show(request: Request, who: SignedIn) -> Response:
    """/developer/apps/{client_id}/"""
    return await app_page(request, who, await its_client(request, who))


@signed_in_only
async def settings(request: Request, who: SignedIn) -> Response:
    """POST settings/"""
    given = await guard.read_form(request)
    client = await its_client(request, who)
    form = said_of(given, allow_implicit=given.get("disable_implicit") is None)
    form = replace(form, registered=registered.said_of(given, client, server_of(request).book))
    try:
        await clients.edit(server_of(request), who.account, client.id, form)
    except Problems as problems:
        errors, again = said(problems, LABELS | registered.LABELS), typed(given) | registered.typed(given)
        return await app_page(request, who, client, errors, again)
    return back_to(home(client), "saved")


@signed_in_only
async def secret(request: Request, who: SignedIn) -> Response:
    """POST secret/: a new one, shown on this answer and nowhere afterwards; the password is asked for again (G7)."""
    given = await guard.read_form(request)
    client, server = await its_client(request, who), server_of(request)
    overlap = given.get("overlap") or ""
    if not overlap.isascii() or not overlap.isdigit() or int(overlap) not in OVERLAPS:
        return await app_page(
            request, who, client, {"overlap": "Choose when the present secret stops working."}
        )
    wrong = await password_wrong(request, who, given.get("password"))
    if wrong:
        return await app_page(request, who, client, {"rotate-password": wrong})
    made = await clients.rotate_secret(server, who.account, client.id, int(overlap))
    until = minute(server.clock() + int(overlap))
    ends = (
        f"The secret before it works until {until}."
        if int(overlap)
        else "The secrets before it work no more."
    )
    return secret_page(request, who, NewClient(client, made), f"A new secret for {client.name}", ends)


@signed_in_only
async def invite(request: Request, who: SignedIn) -> Response:
    """POST testers/"""
    given = await guard.read_form(request)
    client = await its_client(request, who)
    try:
        await clients.add_tester(server_of(request), who.account, client.id, given.get("username") or "")
    except Problems as problems:
        return await app_page(request, who, client, said(problems, LABELS))
    return back_to(home(client), "invited")


@signed_in_only
async def uninvite(request: Request, who: SignedIn) -> Response:
    """POST testers/remove/"""
    given = await guard.read_form(request)
    client, server = await its_client(request, who), server_of(request)
    for tester in await clients.testers(server, client):
        if given.get("tester") == str(tester.id):
            await clients.remove_tester(server, who.account, client.id, tester.id)
    return back_to(home(client), "uninvited")


@signed_in_only
async def delete(request: Request, who: SignedIn) -> Response:
    """POST delete/: the name is typed and the password asked for again (G7)."""
    given = await guard.read_form(request)
    client = await its_client(request, who)
    if (given.get("confirm") or "").strip() != client.name:
        return await app_page(request, who, client, {"confirm": "That is not the name of the app."})
    wrong = await password_wrong(request, who, given.get("password"))
    if wrong:
        return await app_page(request, who, client, {"delete-password": wrong})
    await clients.delete(server_of(request), who.account, client.id)
    return back_to("/developer/", "deleted")


def home(client: Client) -> str:
    """The address of an app's page."""
    return PATH.format(client_id=client.id)


ROUTES = [
    Route(PATH, show),
    Route(PATH + "settings/", settings, methods=["POST"]),
    Route(PATH + "secret/", secret, methods=["POST"]),
    Route(PATH + "testers/", invite, methods=["POST"]),
    Route(PATH + "testers/remove/", uninvite, methods=["POST"]),
    Route(PATH + "delete/", delete, methods=["POST"]),
]
