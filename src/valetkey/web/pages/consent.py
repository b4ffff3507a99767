"""The confirmation screen: who asks, for what, for how long, and where people go next (RFC 6749 10.2, R12)."""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from valetkey.protocol.decision import AskConsent, AskDevice
from valetkey.protocol.model import NOBODY, Catalogue, Scope
from valetkey.protocol.params import Params
from valetkey.protocol.resource import Resource
from valetkey.protocol.rules import details
from valetkey.protocol.rules.consent import Said
from valetkey.protocol.rules.redirect_uri import WEB, loops_back
from valetkey.web.guard import path_of, server_of
from valetkey.web.render import host, leads_to, page, publisher

BOX = "scope:"  # before the name of an optional scope, in the name of its box


def consent_page(request: Request, ask: AskConsent, ticket: str) -> Response:
    """Ask. The form carries the CSRF token, the ticket and the decision; the request itself stays on the server."""
    target, published = host(ask.redirect_uri), publisher(ask.client)
    facts = asked_in_words(request, ask, ask.new) | {
        "target": target,
        "loopback": ask.client.owner_id == NOBODY and loops_back(ask.redirect_uri),
        "elsewhere": published not in ("", target) and not loops_back(ask.redirect_uri),
        "ticket": ticket,
        "switch_account": "/accounts/login/?" + urlencode({"next": asked(request)}),
    }
    return page(request, "consent.html", facts, form_action=leads_to(ask.redirect_uri))


def asked_in_words(request: Request, ask: AskConsent | AskDevice, new: tuple[str, ...]) -> dict[str, object]:
    """Who asks for what and for how long, whichever way they came. new: what was not allowed before."""
    server = server_of(request)
    catalogue = server.settings.scopes
    before = tuple(name for name in ask.scope if name not in new)
    return {
        "client": ask.client,
        "developer": ask.developer,
        "account": ask.account,
        "scopes": in_words(catalogue, new),
        "choice": ask.choice,
        "already": in_words(catalogue, before),
        "widening": bool(before),
        "servers": servers(ask.resource, server.book.resources),
        "lasts": lasts(ask.lifetime),
        "loopback": False,
        "details": details.in_words(ask.details, server.book),
    }


def answered(form: Params) -> Said | None:
    """What the confirmation screen's form says: the decision, and the names of the boxes that are ticked."""
    ticked = (name.removeprefix(BOX) for name, value in form.items() if name.startswith(BOX) and value)
    said = {"allow": True, "deny": False}.get(form.get("decision") or "")
    return None if said is None else Said(said, frozenset(ticked))


def in_words(catalogue: Catalogue, names: tuple[str, ...]) -> list[Scope]:
    """The scopes with their plain words; one that has left the catalogue keeps its name."""
    return [catalogue.get(name, Scope(name, name)) for name in names]


def servers(named: tuple[str, ...], known: Mapping[str, Resource]) -> list[tuple[str, str]]:
    """Where tokens can be used beside our own API: what the operator calls a server, if anything, and its host."""
    told = ((known[uri].name if uri in known else "", at(uri)) for uri in named)
    return list(dict.fromkeys(told))


def at(uri: str) -> str:
    """The host of a server on the web, and its port if it has one of its own; another name stands for itself."""
    parts = WEB.fullmatch(uri)
    if parts is None:
        return uri
    return f"{parts[2]}:{parts[3]}" if parts[3] else parts[2]


def asked(request: Request) -> str:
    """The authorization request as a path of ours, to come back to after logging in as somebody else."""
    query: bytes = request.scope["query_string"]
    return f"{path_of(request)}?{query.decode('ascii', 'replace')}"


def lasts(lifetime: int | None) -> str:
    """For how long, in words."""
    if lifetime is None:
        return "It keeps this access until you remove it under Connected apps."
    hours, minutes = divmod(max(1, lifetime // 60), 60)
    long = counted(hours, "hour") if not minutes else counted(hours * 60 + minutes, "minute")
    return f"Its access ends by itself after {long}; under Connected apps you can end it sooner."


def counted(number: int, thing: str) -> str:
    """1 hour, 2 hours."""
    return f"{number} {thing}" + ("" if number == 1 else "s")
