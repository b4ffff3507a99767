"""What strangers say of themselves: the address that they go by, and the metadata that is read there or registered."""

import json
from urllib.parse import urlsplit

from tests.protocol.samples import BOOK
from valetkey.protocol.endpoints import register
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.profiles.mcp import MCP
from valetkey.protocol.rules import certificate, jwt, metadata_document, registrable
from valetkey.server.target import target


def address(data: bytes) -> None:
    """What is taken for the address of a document, all read alike: urllib, the way out, and a browser's rules."""
    text = data.decode("latin-1")
    if not metadata_document.is_address(text) or metadata_document.why_not_address(text):
        return
    parts = urlsplit(text)
    assert text.isascii() and text.isprintable() and " " not in text and "\\" not in text
    assert (parts.scheme, parts.fragment, parts.username, parts.password) == ("https", "", None, None)
    assert parts.path not in ("", "/") and not {".", ".."} & set(parts.path.split("/"))
    found = target(text)
    assert (found.host, found.port) == (parts.hostname, parts.port or 443)
    assert text.endswith(found.path) and found.path.startswith(parts.path)


def metadata(data: bytes) -> None:
    """Metadata is read, and can be registered or not, or it is refused in words that RFC 6749 5.2 allows."""
    try:
        said = register.read(data, MCP, BOOK)
    except OAuthError as no:
        words = no.description
    else:
        wrong = {
            n: w
            for n, w in registrable.problems(
                said.type, said.registered, MCP, jwt.SIGNED, certificate.METHODS
            ).items()
            if w
        }
        words = registrable.refusal(wrong).description if wrong else "none"
        assert (said.type in ("spa", "native")) is (said.registered.token_endpoint_auth_method == "none")
        assert not (
            said.registered.impersonates
            or said.registered.introspects
            or said.registered.fresh_until
            or said.registered.moved_at
            or said.registered.exchanged_after
        )
        assert isinstance(json.loads(data), dict)
    assert words and words.isascii() and words.isprintable() and not set(words) & set('"\\')
