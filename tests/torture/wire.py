"""A tiny HTTP client for campaigns: one request a connection; an answer counts only when it is whole."""

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)


async def ask(
    port: int, path: str, form: dict[str, str] | None = None, cookie: str = "", accept: str = "*/*"
) -> Reply:
    """GET, or POST a form. Raises OSError when the server dies before its answer is whole."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        body = urlencode(form).encode() if form is not None else b""
        lines = [
            f"{'GET' if form is None else 'POST'} {path} HTTP/1.1",
            "Host: valetkey.test",
            f"Accept: {accept}",
            "Connection: close",
        ]
        if form is not None:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        if cookie:
            lines.append(f"Cookie: {cookie}")
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        return await read_reply(reader)
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the answer was cut short") from error
    finally:
        writer.close()


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    else:
        body = await reader.read()
    return Reply(int(first.split()[1]), headers, body)
