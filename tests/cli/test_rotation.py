"""Keys follow one another under load: every request is answered, every token checks with what is published."""

import asyncio
import json
import signal
from pathlib import Path

from msgspec.structs import replace

from tests.cli.conftest import Shell
from tests.cli.load import Load
from tests.cli.serving import Serving
from tests.reading import header_of, read
from tests.torture.wire import Line, request
from tests.waiting import becomes
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Registration
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.settings import Settings


class TokenLoad(Load):
    """Apps that fetch JWTs without a pause; the tokens are kept."""

    def __init__(self, port: int, client_id: str, secret: str) -> None:
        super().__init__(port)
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        self.question = request("/oauth/token", form)
        self.tokens: list[str] = []

    async def asked(self, line: Line, question: bytes) -> bool:
        reply = await line.send(self.question)
        self.answers += 1
        if reply.status == 200:
            self.tokens.append(reply.json()["access_token"])
        else:
            self.failures.append(f"{reply.status} {reply.body!r}")
        return reply.headers.get("connection") != "close"


async def take_jwts(database: str, client_id: str) -> None:
    """The app's tokens are JWTs from now on."""
    server: AuthorizationServer = assemble(Settings(database=database))
    await server.store.open()
    client = await server.store.client(client_id)
    assert client is not None
    registered = replace(Registration(), access_token_format="jwt")
    await server.store.apply((Save(replace(client, registered=registered, version=client.version + 1)),))
    await server.close()


def published(server: Serving) -> dict[str, dict[str, str]]:
    """The keys by their kid."""
    return {key["kid"]: key for key in json.loads(server.get("/oauth/jwks")[1])["keys"]}


async def test_rotation_under_load(shell: Shell, fresh_sqlite: Path) -> None:
    database = f"sqlite:///{fresh_sqlite}"
    words = ("--owner", "alice", "--type", "service", "--profile", "oauth21", "--json")
    await asyncio.to_thread(shell.account, "alice")
    app = (await asyncio.to_thread(shell, "apps", "add", "A service", *words)).json
    await take_jwts(database, app["client_id"])
    with Serving(database, "--workers", "2") as server:
        load = TokenLoad(server.port, app["client_id"], app["client_secret"])
        tasks = [asyncio.create_task(load.ask(load.question)) for _ in range(6)]
        await load.more(50)
        await asyncio.to_thread(shell, "keys", "rotate")
        await load.more(50)
        server.process.send_signal(signal.SIGHUP)
        await becomes(lambda: len(server.said("reloaded")) == 1 and len(published(server)) == 2)
        await load.more(50)
        (first,) = {header_of(token)["kid"] for token in load.tokens}
        await asyncio.to_thread(shell, "keys", "retire", first, "--leaked")  # the other begins
        server.process.send_signal(signal.SIGHUP)
        await becomes(lambda: len(server.said("reloaded")) == 2 and first not in published(server))
        await becomes(lambda: header_of(load.tokens[-1])["kid"] != first, "those before have left")
        await load.more(50)
        for task in tasks:
            assert not task.done(), task.result()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        keys = published(server)
    assert load.failures == []
    (second,) = keys
    signed = [(header_of(token)["kid"], token) for token in load.tokens]
    assert {kid for kid, _ in signed} == {first, second}
    for kid, token in signed:
        if kid == second:
            read(token, keys.values())
