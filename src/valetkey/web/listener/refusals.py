"""How the door says no: a few bytes of JSON, not to be kept, and the end of the connection (RFC 9110 15.5)."""

import json
from http import HTTPStatus

URL_BYTES = 8 * 1024
HEADER_BYTES = 32 * 1024
HEADERS = 100

Refusal = tuple[int, str]
MALFORMED: Refusal = (400, "The request is not valid HTTP/1.1.")
NOT_ONE_HOST: Refusal = (400, "The request must have one Host header.")
ENCODED: Refusal = (400, "The only Transfer-Encoding is chunked, and only in HTTP/1.1.")
LONG_URL: Refusal = (414, f"The address is longer than {URL_BYTES} bytes.")
LARGE_HEAD: Refusal = (431, f"The headers are larger than {HEADER_BYTES} bytes.")
MANY_HEADERS: Refusal = (431, f"There are more than {HEADERS} headers.")
LATE_HEAD: Refusal = (408, "The head of the request did not arrive in time.")
LATE_BODY: Refusal = (408, "The body of the request did not arrive in time.")
CROWDED: Refusal = (429, "There are too many connections from your address.")


def answer(refusal: Refusal, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The bytes that say no."""
    status = refusal[0]
    body = json.dumps(said(refusal)).encode()
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
    lines += [name + b": " + value for name, value in headers]
    lines += [b"content-type: application/json", b"cache-control: no-store", b"connection: close"]
    return b"\r\n".join([*lines, b"content-length: %d" % len(body), b"", body])


def said(refusal: Refusal) -> dict[str, int | str]:
    """The body of the answer."""
    status, words = refusal
    return {"code": status, "error_type": "OAuthException", "error_message": words}


def why_not_head(url_bytes: int, headers: list[tuple[bytes, bytes]]) -> Refusal | None:
    """What is too much about the head of a request."""
    if url_bytes > URL_BYTES:
        return LONG_URL
    if len(headers) > HEADERS:
        return MANY_HEADERS
    if sum(len(name) + len(value) + 4 for name, value in headers) > HEADER_BYTES:
        return LARGE_HEAD
    return None
