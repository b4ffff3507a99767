"""Bodies: bytes of a form to Params, with every limit before the parser (R17, J1-J5)."""

import logging
import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.types import Receive, Scope

from valetkey.protocol.params import FIELDS, Params, parse

BODY_BYTES = 64 * 1024
QUERY_BYTES = 8 * 1024
URLENCODED = b"application/x-www-form-urlencoded"
NOTHING = Params(())
BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{1,70}")
UTF8 = frozenset({b"utf-8", b"utf8", b"us-ascii", b'"utf-8"'})
ONCE = (
    b"authorization",
    b"dpop",
    b"content-type",
    b"content-length",
    b"content-encoding",
    b"host",
    b"origin",
)
PLAIN_ENCODINGS = frozenset({b"", b"7bit", b"8bit", b"binary"})


class Rejected(Exception):
    """The request cannot be read, or not now: an HTTP status, a stable slug for the log, words for whoever sent it, and
    the cause for the log if it is no fault of the request."""

    def __init__(self, status: int, reason: str, words: str, cause: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status, self.reason, self.words, self.cause = status, reason, words, cause or {}


def not_now(error: Exception) -> Rejected:
    """The refusal while the database cannot be asked."""
    return Rejected(503, "unavailable", "please try again in a moment", cause(error))


def cause(error: Exception) -> Mapping[str, str]:
    """What an error says, for the log."""
    return {"why": (str(error) or type(error).__name__)[:200]}


def level(status: int) -> int:
    """How loudly a refusal is told to the log: what is our own trouble is heard where `log.level` is `warning`."""
    return logging.WARNING if status >= 500 else logging.INFO


def headers_of(scope: Scope) -> Mapping[bytes, bytes]:
    """The request's headers by lower-case name. Raises Rejected for one that must not be there twice (RFC 9110 5.3)."""
    headers = dict(scope["headers"])
    if len(headers) != len(scope["headers"]):
        names = [name for name, _ in scope["headers"]]
        if any(names.count(name) > 1 for name in ONCE):
            raise Rejected(400, "header_twice", "a header is there twice")
    return headers


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], most: int = BODY_BYTES) -> bytes:
    """The whole body. Raises Rejected: too large, encoded, or cut short."""
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Rejected(415, "content_encoding", "Content-Encoding is not supported")
    length = headers.get(b"content-length")
    if length is not None and length.isdigit() and (len(length) > 12 or int(length) > most):
        raise Rejected(413, "body_large", f"the body is larger than {most} bytes")
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most:
            break
    if message["type"] == "http.disconnect":
        raise Rejected(400, "body_cut", "the body was cut short")
    if len(body) > most:
        raise Rejected(413, "body_large", f"the body is larger than {most} bytes")
    return body


def read_query(scope: Scope, repeated: str | None = None) -> Params:
    """The query string. Raises Rejected, OAuthError."""
    query: bytes = scope["query_string"]
    if not query:
        return NOTHING
    if len(query) > QUERY_BYTES:
        raise Rejected(414, "query_long", f"the query string is longer than {QUERY_BYTES} bytes")
    return parse(query, repeated)


class Upload(msgspec.Struct, frozen=True):
    """A file of a multipart form."""

    field: str
    content: bytes


def read_form(
    body: bytes, content_type: bytes, longest: int = 4096, several: Collection[str] = ()
) -> tuple[Params, Upload | None]:
    """Fields, and the file if there is one, of a form body; no Content-Type at all is read as urlencoded.

    Raises Rejected for a type, charset or shape that is not a form, OAuthError for parameters that are not clean.
    """
    if not content_type or content_type == URLENCODED:
        return parse(body, longest=longest, several=several), None
    kind, options = parse_options_header(content_type)
    if options.get(b"charset", b"utf-8").lower() not in UTF8:
        raise Rejected(415, "charset", "the charset must be UTF-8")
    if kind == URLENCODED:
        return parse(body, longest=longest, several=several), None
    if kind == b"multipart/form-data":
        parts = Parts()
        parts.feed(body, options.get(b"boundary", b""))
        return Params(parts.pairs, longest=longest, several=several), parts.upload
    raise Rejected(
        415, "content_type", "the body must be multipart/form-data or application/x-www-form-urlencoded"
    )


class Parts:
    """Collects the parts of a multipart body (RFC 7578) from python-multipart's callbacks."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.upload: Upload | None = None
        self.headers: dict[bytes, bytes] = {}
        self.data = bytearray()
        self.name, self.value = bytearray(), bytearray()
        self.ended = False

    def feed(self, body: bytes, boundary: bytes) -> None:
        """Parse the whole body. Raises Rejected."""
        if not BOUNDARY.fullmatch(boundary):
            raise Rejected(400, "multipart_boundary", "the multipart boundary is missing or malformed")
        callbacks: Any = {
            "on_part_begin": self.begin,
            "on_header_field": lambda data, start, end: self.name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self.value.extend(data[start:end]),
            "on_header_end": self.header,
            "on_part_data": lambda data, start, end: self.data.extend(data[start:end]),
            "on_part_end": self.part,
            "on_end": self.end,
        }
        try:
            parser = MultipartParser(boundary, callbacks)
            parser.write(body)
            parser.finalize()
        except (FormParserError, ValueError):
            raise Rejected(400, "multipart_malformed", "the multipart body is malformed") from None
        if not self.ended:
            raise Rejected(400, "multipart_cut", "the multipart body has no end")

    def begin(self) -> None:
        """A part begins."""
        if len(self.pairs) >= FIELDS:
            raise Rejected(400, "parameters_many", f"more than {FIELDS} parts")
        self.headers, self.data = {}, bytearray()
        self.name, self.value = bytearray(), bytearray()

    def header(self) -> None:
        """A part's header ends."""
        self.headers[bytes(self.name).lower()] = bytes(self.value)
        self.name, self.value = bytearray(), bytearray()
        if len(self.headers) > 8:
            raise Rejected(400, "multipart_malformed", "a part has more than 8 headers")

    def part(self) -> None:
        """A part ends: a field, or the one file."""
        kind, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise Rejected(400, "multipart_malformed", "a part has no name")
        if self.headers.get(b"content-transfer-encoding", b"").lower() not in PLAIN_ENCODINGS:
            raise Rejected(415, "content_encoding", "Content-Transfer-Encoding is not supported")
        try:
            name = options[b"name"].decode("utf-8")
            if b"filename" not in options:
                self.pairs.append((name, self.data.decode("utf-8")))
                return
        except UnicodeDecodeError:
            raise Rejected(400, "not_utf8", "the request is not UTF-8") from None
        if self.upload is not None:
            raise Rejected(400, "files_many", "more than one file")
        self.upload = Upload(name, bytes(self.data))

    def end(self) -> None:
        """The closing boundary was there."""
        self.ended = True
