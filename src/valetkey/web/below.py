"""An issuer with a path (RFC 8414 3.1): it is taken off what comes in, and put before what goes out.

Within, every address is as if there were none; whoever stands in front may have taken it off already.
"""

import re
from collections.abc import Collection

from starlette.types import Message, Scope, Send

OWN = re.compile(r'( (?:href|src|action)=")/(?!/)')  # of our templates: quotes in what others say are escaped


def first(path: str) -> str:
    """The first part of a path."""
    return path.split("/", 2)[1]


def inside(scope: Scope, prefix: str, known: Collection[str]) -> str:
    """The path without the issuer's. That may be spelled as one of ours is (`/oauth`, `/accounts`) and have been taken
    off already, so what is behind it must begin as one of ours does."""
    path: str = scope["path"]
    if f"{path}/".startswith(f"{prefix}/"):
        rest = path.removeprefix(prefix) or "/"
        if first(rest) in known:
            path = scope["path"] = rest
    return path


def redirects(send: Send, prefix: str) -> Send:
    """What is sent, leading to where the pages are."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [moved(each, prefix.encode()) for each in message["headers"]]}
        await send(message)

    return sending


def moved(header: tuple[bytes, bytes], prefix: bytes) -> tuple[bytes, bytes]:
    """A header as it is, but for a Location of ours."""
    name, value = header
    ours = name.lower() == b"location" and value.startswith(b"/") and not value.startswith(b"//")
    return (name, prefix + value) if ours else header


def links(html: str, prefix: str) -> str:
    """A page whose addresses lead to where the pages are."""
    return OWN.sub(rf"\g<1>{prefix}/", html) if prefix else html
