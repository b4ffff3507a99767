"""Turns a page's name and its facts into HTML: the one Jinja environment, and the one place that answers with pages."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from valetkey.protocol.model import Account, Client
from valetkey.protocol.rules.redirect_uri import NEVER_SCHEMES
from valetkey.web import below, guard

HERE = Path(__file__).parent
STATIC = HERE / "static"
SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
# What every template may read; a page says what it needs beyond this.
EVERY_PAGE: dict[str, object] = {"account": None, "errors": {}, "form": {}, "done": "", "area": ""}


@cache
def asset(name: str) -> str:
    """The address of a static file, with a digest of its content so that it can be cached for ever."""
    return f"/static/{name}?v={sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def at(seconds: int) -> datetime:
    """The moment as UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def day(seconds: int) -> str:
    """5 November 2026."""
    return f"{at(seconds).day} {at(seconds):%B %Y}"


def minute(seconds: int) -> str:
    """5 November 2026, 14:05 UTC; the page's script turns it into the reader's own time."""
    return f"{day(seconds)}, {at(seconds):%H:%M} UTC"


def host(uri: str) -> str:
    """Where a URI leads, for people: the host, or the scheme of an app of this device."""
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in ("http", "https") else f"an app on this device ({parts.scheme}:)"


def publisher(client: Client) -> str:
    """The host that publishes an app, which is known by the address of its metadata document; or nothing."""
    return urlsplit(client.id).netloc if client.id.startswith("https://") else ""


def called(client: Client) -> str:
    """What an app is called before a password is typed: its own name, if there is somebody who vouches for it."""
    return client.name if client.owner_id else publisher(client) or "an app that nobody has reviewed"


def picture_path(account: Account) -> str:
    """Where a profile picture is served."""
    return f"/pictures/{account.picture}.jpg"


@cache
def environment() -> Environment:
    """Jinja, made once: everything escaped, an unknown name is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {"asset": asset, "picture_path": picture_path}
    made.filters |= {
        "day": day,
        "minute": minute,
        "host": host,
        "publisher": publisher,
        "iso": lambda seconds: at(seconds).isoformat(),
    }
    return made


def html(name: str, facts: Mapping[str, object]) -> str:
    """The page as text."""
    return environment().get_template(name).render(EVERY_PAGE | dict(facts))


def page(
    request: Request,
    name: str,
    facts: Mapping[str, object],
    status: int = 200,
    form_action: tuple[str, ...] = (),
) -> Response:
    """Answer with a page. `form_action` names where its forms may lead beyond this server (see leads_to)."""
    frame = {
        "operator": guard.server_of(request).settings.name,
        "csrf": guard.csrf(request),
        "here": guard.path_of(request),
    }
    policy = " ".join((POLICY, *form_action))
    text = below.links(html(name, frame | dict(facts)), urlsplit(guard.server_of(request).book.issuer).path)
    return HTMLResponse(text, status, {"Content-Security-Policy": policy})


def leads_to(redirect_uri: str) -> tuple[str, ...]:
    """What a page's policy must let its forms lead to, so that the browser follows the redirect to the client.

    Chromium holds form-action against every redirect after the POST, those of the client's own site too: a callback
    that goes on to another host would get nobody anywhere. So the scheme is named, not the host.
    """
    scheme = redirect_uri.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return ("https:",) if scheme == "https" else ("http:", "https:")
    return (f"{scheme}:",) if SCHEME.fullmatch(scheme) and scheme not in NEVER_SCHEMES else ()
