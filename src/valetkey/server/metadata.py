"""The document that tells clients what this server can, and where it is looked for (RFC 8414 3)."""

from urllib.parse import urlsplit

from valetkey.protocol.endpoints.metadata import About, describe
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.keys import Document, document

WELL_KNOWN = "/.well-known/oauth-authorization-server"


def metadata(server: AuthorizationServer) -> Document:
    """The document; it changes with the settings alone."""
    signing = server.keys.schedule.algorithms if server.keys.can_sign else ()
    return document(describe(About(server.book, signing)))


def places(server: AuthorizationServer) -> list[str]:
    """Its paths: for an issuer with a path the well-known part may stand before that path, or behind it where others
    look for it (RFC 8414 3.1, 5)."""
    path = urlsplit(server.book.issuer).path
    return [WELL_KNOWN, WELL_KNOWN + path, path + WELL_KNOWN] if path else [WELL_KNOWN]
