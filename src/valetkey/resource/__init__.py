"""For servers that take tokens of valetkey, an MCP server say: tell where to get one, check it, turn others away.

    photos = Resource("https://photos.example/mcp", issuer="https://id.example", scopes=("basic", "likes"))
    guard = Guard(photos, Introspection("https://id.example/oauth/introspect", client_id, client_secret))
    token = await guard.admit(request.headers.get("authorization"), "likes")      raises Denied
    app = Protected(app, guard)                                                   the same for a whole ASGI application

RFC 9728 (metadata), RFC 6750 3 (challenges), RFC 7662 (introspection), RFC 9068 (JWTs). Nothing here knows a framework.
"""

from valetkey.resource.asgi import Protected, token_of
from valetkey.resource.guard import Denied, Guard, Token
from valetkey.resource.metadata import Resource
from valetkey.resource.sources import Introspection, SignedTokens, Unreachable

__all__ = [
    "Denied",
    "Guard",
    "Introspection",
    "Protected",
    "Resource",
    "SignedTokens",
    "Token",
    "Unreachable",
    "token_of",
]
