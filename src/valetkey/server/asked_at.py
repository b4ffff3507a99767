"""When a login was asked for, on the way back from the login page: our own word, for one request (RFC 9470 4; A18).

The browser carries it. Made up, or taken from another request, it says nothing: whoever sits there could skip the login
that a pushed or signed request demands, which they can neither see nor change.
"""

import hashlib
import hmac

from valetkey.protocol.params import SEVERAL, Params, parse
from valetkey.protocol.rules import base64url
from valetkey.server.authorization_server import AuthorizationServer

NAME = "asked_at"


def way_back(server: AuthorizationServer, query: bytes, at: int) -> str:
    """The request to come back to after logging in; with the time, if it was asked for. Raises Unavailable."""
    pieces = query.decode("utf-8", "replace").split("&")
    if not at:
        return "&".join(pieces)
    kept = "&".join(piece for piece in pieces if not piece.startswith(f"{NAME}="))
    return f"{kept}&{NAME}={at}.{seal(server, parse(kept.encode(), several=SEVERAL), str(at))}"


def said(server: AuthorizationServer, params: Params) -> int:
    """The time that a request comes back with; 0 if none was written for it by us. Raises Unavailable."""
    at, dot, made = (params.get(NAME) or "").partition(".")
    if not dot or not hmac.compare_digest(made.encode(), seal(server, params, at).encode()):
        return 0
    return int(at)


def seal(server: AuthorizationServer, params: Params, at: str) -> str:
    """What nobody else can make of this time and this request; no parameter has a NUL."""
    pairs = (f"{name}={value}" for name, value in params.items() if name != NAME)
    data = "\0".join((at, *pairs)).encode()
    return base64url.encode(hmac.digest(server.keys.derive(b"asked-at"), data, hashlib.sha256))
