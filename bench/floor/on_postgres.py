"""The floor on PostgreSQL: what waits goes as one set-based statement, in one round trip and one commit."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
from rows import LIFETIME

MOST = 256  # in one statement
CLIENT = "SELECT digest FROM client WHERE name = $1"
EXCHANGE = f"""WITH asked AS (
    SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bytea[])
        AS row(code, digest, client, redirect_uri, now, token, token_digest)),
spent AS (
    UPDATE code SET spent = asked.now FROM asked
    WHERE code.id = asked.code AND code.digest = asked.digest AND code.client = asked.client
        AND code.redirect_uri = asked.redirect_uri AND code.spent IS NULL AND code.expires > asked.now
    RETURNING code.account, code.scope, asked.client, asked.now, asked.token, asked.token_digest),
kept AS (
    INSERT INTO token SELECT token, token_digest, client, account, scope, now, now + {LIFETIME} FROM spent)
SELECT spent.token, a.id, a.username, a.full_name, a.picture FROM spent JOIN account a ON a.id = spent.account"""
BEARER = """SELECT t.id, t.digest, t.expires, a.id, a.username, a.full_name, a.picture
    FROM token t JOIN account a ON a.id = t.account WHERE t.id = ANY($1::bigint[])"""


class Together:
    """Items that wait while a statement is under way are asked for by the next one."""

    def __init__(self, statements: list[Any], columns: Callable[[list[Any]], list[Any]], key: int) -> None:
        self.free, self.columns, self.key = statements, columns, key
        self.waiting: list[Any] = []
        self.loop = asyncio.get_running_loop()

    async def ask(self, item: tuple[Any, ...]) -> Any:
        answer = self.loop.create_future()
        if not self.waiting:
            self.loop.call_soon(self.go)
        self.waiting.append((answer, item))
        return await answer

    def go(self) -> None:
        if self.waiting and self.free:
            self.task = self.loop.create_task(self.run(self.free.pop()))

    async def run(self, statement: Any) -> None:
        while self.waiting:
            batch, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
            rows = await statement.fetch(*self.columns([item for _, item in batch]))
            found = {row[0]: row[1:] for row in rows}
            for answer, item in batch:
                answer.set_result(found.get(item[self.key]))
        self.free.append(statement)


class OnPostgres:
    """One connection that writes, two that read."""

    def __init__(self, url: str) -> None:
        self.url, self.turn = url, asyncio.Lock()

    async def open(self) -> None:
        connections = [await asyncpg.connect(self.url) for _ in range(4)]
        self.plain = connections[0]
        self.last = await self.plain.fetchval("SELECT max(id) FROM token")
        writer = [await connections[1].prepare(EXCHANGE)]
        readers = [await connection.prepare(BEARER) for connection in connections[2:]]
        turned: Callable[[list[Any]], list[Any]] = lambda items: list(map(list, zip(*items, strict=True)))
        self.exchanges, self.bearers = Together(writer, turned, 5), Together(readers, turned, 0)

    def next_id(self) -> int:
        self.last += 1
        return self.last

    async def client(self, name: str) -> Any:
        async with self.turn:
            return await self.plain.fetchrow(CLIENT, name)

    async def bearer(self, number: int) -> Any:
        return await self.bearers.ask((number,))

    async def exchange(self, asked: tuple[Any, ...]) -> Any:
        return await self.exchanges.ask(asked)
