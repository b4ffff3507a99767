"""Scope: what is asked for, and is it in the catalogue? (RFC 6749 3.3)"""

from valetkey.protocol.errors import InvalidScope
from valetkey.protocol.model import NOBODY, Catalogue, Client

MOST = 64
DEFAULT = ("basic",)  # what no scope at all asks for (RFC 6749 3.3 wants a default); every catalogue has it


def read(asked: str | None, always: tuple[str, ...], catalogue: Catalogue) -> tuple[str, ...]:
    """The scope of a request, each name once, in the order given. Raises InvalidScope."""
    named = tuple(dict.fromkeys((*always, *filter(None, (asked or "").split(" ")))))
    names = named or DEFAULT
    if len(names) > MOST:
        raise InvalidScope("scopes_many", f"more than {MOST} scopes", "too many")
    unknown = [name for name in names if name not in catalogue]
    if unknown:
        shown = ", ".join(ascii_words(name) for name in unknown)
        raise InvalidScope("scope_unknown", f"unknown scope: {shown}", shown)
    return names


def limit(client: Client) -> tuple[str, ...]:
    """The scope it is held to, if any. What an app said when it registered itself binds nobody: it could have said
    more, what it needs shows later (MCP: step-up), and the person decides."""
    return () if client.owner_id == NOBODY else client.registered.scope


def check_registered(scope: tuple[str, ...], client: Client) -> None:
    """A client that is held to a scope asks for no more than that (RFC 7591 2). Raises InvalidScope."""
    held = limit(client)
    beyond = widened(scope, held) if held else ()
    if beyond:
        shown = ", ".join(beyond)
        raise InvalidScope("scope_unregistered", f"this client did not register the scope: {shown}", shown)


def remaining(scope: tuple[str, ...], client: Client, catalogue: Catalogue) -> tuple[str, ...]:
    """What is left of a scope that was allowed once: what the catalogue has still, and what the client is held to."""
    held = limit(client)
    return tuple(name for name in scope if name in catalogue and (not held or name in held))


def widened(asked: tuple[str, ...], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The names asked for that were not allowed before."""
    return tuple(name for name in asked if name not in allowed)


def ascii_words(name: str) -> str:
    """A name as an error may show it: at most 64 printable ASCII characters, no quotes (RFC 6749 5.2)."""
    return "".join(c if "!" <= c <= "~" and c not in "\"\\'<>&" else "?" for c in name[:64])
