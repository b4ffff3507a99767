"""An issuer with a path (RFC 8414 3.1): it is taken off what comes in, and put before what goes out.

Within, every address is as if there were none; whoever stands in front may have taken it off already.
"""

import re

from starlette.types import Message, Scope, Send

OWN = re.compile(r'( (?:href|src|action)=")/(?!/)')  # of our templates: quotes in what others say are escaped


def inside(scope: Scope, prefix: str) -> str:
    """The path without the issuer's."""
    path: str = scope["path"]
    if f"{path}/".startswith(f"{prefix}/"):
        path = scope["path"] = path.removeprefix(prefix) or "/"
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
