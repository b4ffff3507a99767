"""The floor: the least that an honest code exchange, bearer look-up and introspection do, as raw ASGI.

Exchange: form parsed, client looked up, its secret compared, code spent by one conditional statement, token kept,
account read, answered after the commit. Bearer: token looked up by its id, its secret's digest compared, account read.
Introspection: the same, for a client whose secret is compared.
No PKCE, no refresh token, no counts, no limits: a product does more. It is a yardstick, not a rival.
"""

import hmac
import os
import time
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from rows import digest, new_secret

encode = msgspec.json.encode
HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
BAD_GRANT, BAD_CLIENT = (400, b'{"error":"invalid_grant"}'), (401, b'{"error":"invalid_client"}')
BAD_TOKEN = (401, b'{"error":"invalid_token"}')


def parted(text: str) -> tuple[int, str]:
    """ID and SECRET of "ID.SECRET"; 0 is nobody's."""
    number, _, secret = text.partition(".")
    return (int(number) if number.isdecimal() else 0), secret


class Floor:
    """/nop, /token and /me over one of the two stores."""

    def __init__(self, store: Any) -> None:
        self.store, self.clients = store, {}  # type: Any, dict[str, tuple[float, Any]]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        match scope["type"], scope.get("path"):
            case "lifespan", _:
                return await self.live(receive, send)
            case _, "/nop":
                status, body = 200, b"ok"
            case _, "/token":
                status, body = await self.exchange(dict(parse_qsl((await whole(receive)).decode())))
            case _, "/introspect":
                status, body = await self.introspect(dict(parse_qsl((await whole(receive)).decode())))
            case _, "/me":
                sent = next(value for name, value in scope["headers"] if name == b"authorization")
                status, body = await self.bearer(sent[7:].decode("latin1"))
            case _:
                status, body = 404, b"{}"
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": status, "headers": [*HEADERS, length]})
        await send({"type": "http.response.body", "body": body})

    async def live(self, receive: Any, send: Any) -> None:
        await receive()
        await self.store.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def client(self, name: str) -> Any:
        """A client's row, kept for a second."""
        kept = self.clients.get(name)
        if kept is None or kept[0] < time.monotonic():
            kept = self.clients[name] = (time.monotonic() + 1, await self.store.client(name))
        return kept[1]

    async def exchange(self, form: dict[str, str]) -> tuple[int, bytes]:
        client = await self.client(form["client_id"])
        if client is None or not hmac.compare_digest(client[0], digest(form["client_secret"])):
            return BAD_CLIENT
        number, secret = parted(form["code"])
        token_id, token = self.store.next_id(), new_secret()
        spent = (number, digest(secret), form["client_id"], form["redirect_uri"], int(time.time()))
        row = await self.store.exchange((*spent, token_id, digest(token)))
        if row is None:
            return BAD_GRANT
        user = {"id": str(row[0]), "username": row[1], "full_name": row[2], "profile_picture": row[3]}
        return 200, encode({"access_token": f"{token_id}.{token}", "user": user})

    async def introspect(self, form: dict[str, str]) -> tuple[int, bytes]:
        client = await self.client(form["client_id"])
        if client is None or not hmac.compare_digest(client[0], digest(form["client_secret"])):
            return BAD_CLIENT
        number, secret = parted(form["token"])
        row = await self.store.bearer(number)
        if row is None or not hmac.compare_digest(row[0], digest(secret)) or row[1] < time.time():
            return 200, b'{"active":false}'
        told = {"active": True, "sub": str(row[2]), "username": row[3], "exp": row[1]}
        return 200, encode(told | {"client_id": form["client_id"]})

    async def bearer(self, token: str) -> tuple[int, bytes]:
        number, secret = parted(token)
        row = await self.store.bearer(number)
        if row is None or not hmac.compare_digest(row[0], digest(secret)) or row[1] < time.time():
            return BAD_TOKEN
        user = {"id": str(row[2]), "username": row[3], "full_name": row[4], "profile_picture": row[5]}
        return 200, encode(user)


async def whole(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def store() -> Any:
    database = os.environ["FLOOR_DATABASE"]
    if database.startswith("postgresql:"):
        from on_postgres import OnPostgres

        return OnPostgres(database)
    from on_sqlite import OnSqlite

    return OnSqlite(database)


app = Floor(store()) if "FLOOR_DATABASE" in os.environ else None
