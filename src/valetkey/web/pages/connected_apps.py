"""Which apps hold a key to an account, what it opens, and how to take it back (H9)."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from valetkey.protocol.model import Client, Scope
from valetkey.server import accounts
from valetkey.server.login import SignedIn
from valetkey.web import guard
from valetkey.web.guard import server_of
from valetkey.web.pages.consent import in_words, servers
from valetkey.web.pages.forms import back_to, done_words, signed_in_only
from valetkey.web.render import page

PATH = "/accounts/manage_access/"


@dataclass(frozen=True, slots=True)
class Line:
    """One app as the page shows it."""

    client: Client
    developer: str
    scopes: list[Scope]
    since: int
    last_used: int | None
    ended_at: int | None
    servers: list[tuple[str, str]]


@signed_in_only
async def connected_apps(request: Request, who: SignedIn) -> Response:
    """/accounts/manage_access/: the origin's own name for it."""
    server = server_of(request)
    if request.method == "POST":
        form = await guard.read_form(request)
        await accounts.revoke_app(server, who.account, form.get("client_id") or "")
        return back_to(PATH, "removed")
    lines = [
        Line(
            *(app.client, app.developer, in_words(server.settings.scopes, app.scope)),
            *(app.since, app.last_used, app.ended_at),
            servers(app.resource, server.book.resources),
        )
        for app in await accounts.connected_apps(server, who.account)
    ]
    facts = {"account": who.account, "area": "account", "apps": lines, "done": done_words(request)}
    return page(request, "account/connected_apps.html", facts)


ROUTES = [Route(PATH, connected_apps, methods=["GET", "POST"])]
