"""Requests as bytes, and the files in which load.c finds them and leaves the answers."""

import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

FORM = "Content-Type: application/x-www-form-urlencoded"


def get(host: str, path: str, *headers: str) -> bytes:
    head = (f"GET {path} HTTP/1.1", f"Host: {host}", "Accept: */*", *headers, "", "")
    return "\r\n".join(head).encode()


def post(host: str, path: str, form: Mapping[str, str], *headers: str) -> bytes:
    body = urlencode(form)
    length = f"Content-Length: {len(body)}"
    head = (f"POST {path} HTTP/1.1", f"Host: {host}", "Accept: */*", FORM, length, *headers, "", body)
    return "\r\n".join(head).encode()


def write(path: Path, requests: Iterable[bytes]) -> None:
    """Each behind its length in four bytes, little endian."""
    path.write_bytes(b"".join(struct.pack("<I", len(request)) + request for request in requests))


def read(path: Path) -> Iterator[bytes]:
    """What `write`, or load.c, has written."""
    content, at = path.read_bytes(), 0
    while at < len(content):
        (length,) = struct.unpack_from("<I", content, at)
        yield content[at + 4 : at + 4 + length]
        at += 4 + length
