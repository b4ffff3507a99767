"""The list of a developer's apps, and registering one more."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from valetkey.protocol.params import Params
from valetkey.server import clients
from valetkey.server.clients import ClientForm, NewClient
from valetkey.server.login import SignedIn
from valetkey.server.problems import Problems
from valetkey.web import guard
from valetkey.web.console.words import PROFILES, TYPES, Words
from valetkey.web.guard import server_of
from valetkey.web.pages.forms import Errors, done_words, said, signed_in_only
from valetkey.web.render import page

LABELS = {
    "name": ("name", "Name"),
    "description": ("description", "Description"),
    "website": ("website", "Website"),
    "type": ("type", "Type"),
    "profile": ("profile", "Profile"),
    "redirect_uris": ("redirect_uris", "Redirect URIs"),
    "allow_implicit": ("disable_implicit", "The implicit flow"),
    "tester": ("tester", "This"),
}
FIELDS = ("name", "description", "website", "type", "profile", "redirect_uris")


@signed_in_only
async def apps(request: Request, who: SignedIn) -> Response:
    """/developer/"""
    owned = await clients.owned(server_of(request), who.account)
    facts = {
        "account": who.account,
        "area": "developer",
        "apps": owned,
        "types": TYPES,
        "done": done_words(request),
    }
    return page(request, "developer/apps.html", facts)


@signed_in_only
async def register(request: Request, who: SignedIn) -> Response:
    """/developer/register/: the secret is on the answer to the POST, and nowhere afterwards."""
    server = server_of(request)
    if not server.settings.apps.register:
        raise guard.Refused(403, "register_closed", "New apps are registered by the operator of this server.")
    if request.method != "POST":
        return register_page(
            request, who, {"type": "web", "profile": server.settings.apps.profile, "sandbox": "yes"}, {}
        )
    given = await guard.read_form(request)
    form = said_of(given, allow_implicit=implicit_by_type(request, given))
    try:
        new = await clients.register(server, who.account, form)
    except Problems as problems:
        return register_page(request, who, typed(given), said(problems, LABELS))
    return secret_page(request, who, new, f"{new.client.name} is registered", "")


def secret_page(request: Request, who: SignedIn, new: NewClient, title: str, ends: str) -> Response:
    """The one time a secret is shown. ends: what becomes of the one before it."""
    facts = {"title": title, "client": new.client, "secret": new.secret, "ends": ends}
    return page(request, "developer/secret.html", facts | {"account": who.account, "area": "developer"})


def implicit_by_type(request: Request, given: Params) -> bool:
    """An app with no server part can only use the implicit flow, where its profile has one (D12)."""
    profile = server_of(request).book.profiles.get(given.get("profile") or "")
    return (
        given.get("type") in ("spa", "native") and profile is not None and "token" in profile.response_types
    )


def said_of(given: Params, allow_implicit: bool) -> ClientForm:
    """What a form says of an app; a switch that is off is not sent at all."""
    return ClientForm(
        name=given.get("name") or "",
        type=given.get("type") or "",
        profile=given.get("profile") or "",
        redirect_uris=tuple(line.strip() for line in (given.get("redirect_uris") or "").split("\n")),
        description=given.get("description") or "",
        website=given.get("website") or "",
        allow_implicit=allow_implicit,
        sandbox=given.get("sandbox") is not None,
        signed_requests=given.get("signed_requests") is not None,
    )


def typed(given: Params) -> Errors:
    """A form as it was filled in, to show it again."""
    switches = ("sandbox", "signed_requests", "disable_implicit")
    return {name: given.get(name) or "" for name in (*FIELDS, *switches)}


def register_page(request: Request, who: SignedIn, form: Errors, errors: Errors) -> Response:
    """The one page an app is registered on."""
    facts = {"form": form, "errors": errors, "types": TYPES, "profiles": offered(request), "endless": False}
    facts |= {"account": who.account, "area": "developer"}
    return page(request, "developer/register.html", facts, 400 if errors else 200)


def offered(request: Request) -> dict[str, Words]:
    """The profiles of this server, in words."""
    return {name: PROFILES.get(name, Words(name, "")) for name in server_of(request).book.profiles}


ROUTES = [
    Route("/developer/", apps),
    Route("/developer/register/", register, methods=["GET", "POST"]),
]
