"""Fills a database in bulk, as if for years: accounts, apps, consents, authorizations, and their tokens, live or over.

Rows are written sorted, with the indexes made behind them. What a token, a session or a code reads is worked out from
its number, so that nobody has to remember ten million of them.

    fill.py LIVE OVER CODES ORDERED

Run by grown.py in a process of its own, whose settings come from the environment; prints what requests must know.
"""

import asyncio
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain
from typing import Any

from valetkey.protocol.rules.digest import digest
from valetkey.server import accounts, clients
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.server.mint import Mint
from valetkey.settings import load
from valetkey.store import sqlite_file
from valetkey.store.address import parse

REDIRECT = "https://rp.test/cb"
APPS, APPS_OF_ONE, TOKENS_OF_ONE = 50, 5, 10
DAY = 24 * 3600
FIRST = 1000  # the number of the first account
SPREAD = 30 * DAY  # seconds over which tokens were issued, and end
USED_WITHIN = (
    DAY + 15 * 60
)  # seconds in which a use of every live token was noted: one call of a hundred notes another
STEP = 7_919  # from one token that is asked for to the next, so that they are spread over all
TABLES = {
    "accounts": "id username canonical full_name email password created_at bio website picture disabled_at version",
    "consents": "account_id client_id scope granted_at",
    "sessions": "digest account_id created_at last_seen_at expires_at user_agent network",
    "authorizations": "id account_id client_id scope granted_at revoked_at last_used_at",
    "codes": "authorization_id digest redirect_uri expires_at challenge spent_at",
    "tokens": "digest authorization_id created_at expires_at",
}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
Rows = Iterator[tuple[Any, ...]]


def secret(kind: str, number: int, size: int = 16) -> str:
    """The same random-looking hex characters whenever they are asked for."""
    return blake2b(f"{kind} {number}".encode(), digest_size=size).hexdigest()


@dataclass
class Filling:
    """What stands in the database. `ordered`: tokens whose keys grow with time, as the newer profiles make them."""

    live: int
    over: int = 0
    codes: int = 0
    ordered: bool = False
    now: int = 0
    apps: list[str] = field(default_factory=list)
    app_secret: str = ""

    @property
    def people(self) -> int:
        return max(16, self.live // TOKENS_OF_ONE)

    def token(self, number: int) -> str:
        """Random, as the classic form is, or of today's form, whose keys grow with time."""
        mint = Mint(lambda size: bytes.fromhex(secret("token", number, size)), lambda: 0)
        form = "prefixed" if self.ordered else "classic"
        return mint.access_token(form, self.app_of(number), self.born(number))

    def born(self, number: int) -> int:
        """When a token was issued: the live ones within the last month, the others in the month before yesterday."""
        if number < self.live:
            return self.now - SPREAD + number * SPREAD // self.live
        return self.now - 2 * DAY - SPREAD + (number - self.live) * SPREAD // self.over

    def session(self, person: int) -> str:
        return secret("session", person, 32)[:43]

    def code(self, number: int) -> str:
        return secret("code", number)

    def person_of(self, number: int) -> int:
        """Whose a token or code is: neighbours in time are far apart in the order of accounts."""
        return number * 7_654_321 % self.people

    def app_of(self, number: int) -> str:
        person = self.person_of(number)
        return self.apps[(person + number // self.people % APPS_OF_ONE) % APPS]

    def root_of(self, number: int, at: int) -> int:
        """As Mint.authorization_id makes them: seconds, then randomness."""
        return (at - 1_767_225_600) % 2**30 << 33 | number * 2_654_435_761 % 2**33

    async def begin(self, server: AuthorizationServer) -> None:
        """What goes the common way: the schema, an owner, the apps."""
        self.now = server.clock()
        owner = await accounts.sign_up(
            server, accounts.SignUp("owner", "Owner", "", "an owner's password"), by_operator=True
        )
        made = [
            await clients.register(
                server, owner, clients.ClientForm(f"App {n}", "web", "classic", (REDIRECT,))
            )
            for n in range(APPS)
        ]
        self.apps, self.app_secret = [each.client.id for each in made], made[0].secret or ""
        self.password = owner.password

    def rows(self, table: str) -> Rows:
        """The rows of a table."""
        return {
            "accounts": self.accounts,
            "consents": self.consents,
            "sessions": self.sessions,
            "authorizations": self.authorizations,
            "codes": self.kept_codes,
            "tokens": self.tokens,
        }[table]()

    def accounts(self) -> Rows:
        for n in range(self.people):
            name = f"user{n}"
            yield (
                *(FIRST + n, name, name, f"The Real {name.title()}", f"{name}@rp.test", self.password),
                *(self.now - SPREAD, "A line or two.", "https://rp.test", "", None, 1),
            )

    def consents(self) -> Rows:
        for n in range(self.people):
            for k in range(APPS_OF_ONE):
                yield FIRST + n, self.apps[(n + k) % APPS], "basic", self.now - SPREAD

    def sessions(self) -> Rows:
        for n in range(self.people):
            yield (
                *(digest(self.session(n)), FIRST + n, self.now - DAY, self.now, self.now + SPREAD),
                *(BROWSER, "192.0.2.0"),
            )

    def issued(self) -> Iterator[tuple[int, int, int]]:
        """Number, birth and end of every token: those that are over first."""
        for n in chain(range(self.live, self.live + self.over), range(self.live)):
            born = self.born(n)
            yield n, born, born + (2 * SPREAD if n < self.live else DAY)

    def authorizations(self) -> Rows:
        for n, born, _ in self.issued():
            used = self.now - n * 7_919 % USED_WITHIN if n < self.live else born + 60
            yield (
                *(self.root_of(n, born), FIRST + self.person_of(n), self.app_of(n)),
                *("basic", born, None, used),
            )
        for n in range(self.codes):
            yield self.code_root(n), FIRST + self.person_of(n), self.apps[0], "basic", self.now, None, None

    def code_root(self, number: int) -> int:
        return self.root_of(number, self.now + DAY)

    def kept_codes(self) -> Rows:
        for n in range(self.codes):
            yield self.code_root(n), digest(self.code(n)), REDIRECT, self.now + SPREAD, None, None

    def tokens(self) -> Rows:
        for n, born, end in self.issued():
            yield digest(self.token(n)), self.root_of(n, born), born, end


async def fill(server: AuthorizationServer, filling: Filling) -> None:
    """Write it all into the server's database, which is empty."""
    await filling.begin(server)
    address = parse(server.settings.database)
    if address.engine == "sqlite":
        await asyncio.to_thread(_fill_sqlite, address.place, filling)
    else:
        await _fill_postgres(address.place, filling)


def _fill_sqlite(path: str, filling: Filling) -> None:
    connection = sqlite_file.connect(path)
    for pragma in ("synchronous = OFF", "cache_size = -1000000", "temp_store = FILE"):
        connection.execute(f"PRAGMA {pragma}")
    listed = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    indexes = [row for row in connection.execute(listed) if row[1] in TABLES]
    for name, _, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    for table, columns in TABLES.items():
        _fill_table(connection, table, columns.split(), filling.rows(table))
    for _, _, statement in indexes:
        connection.execute(statement)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _fill_table(connection: sqlite3.Connection, table: str, columns: list[str], rows: Iterable[Any]) -> None:
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    connection.execute(f"CREATE TEMP TABLE heap({names})")
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO heap VALUES({marks})", rows)
    connection.execute(f"INSERT INTO {table}({names}) SELECT {names} FROM heap ORDER BY {columns[0]}")
    connection.execute("COMMIT")
    connection.execute("DROP TABLE heap")


async def _fill_postgres(place: str, filling: Filling) -> None:
    import asyncpg

    connection = await asyncpg.connect(place)
    await connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'")
    listed = (
        "SELECT indexname, tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' "
        "AND indexdef NOT LIKE 'CREATE UNIQUE%'"
    )
    indexes = [row for row in await connection.fetch(listed) if row[1] in TABLES]
    for name, _, _ in indexes:
        await connection.execute(f"DROP INDEX {name}")
    for table, columns in TABLES.items():
        names = columns.split()
        key = await connection.fetchval(
            "SELECT conname FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype = 'p'", table
        )
        shape = await connection.fetchval(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1", key
        )
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {key}")
        await connection.copy_records_to_table(table, records=filling.rows(table), columns=names)
        await connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {key} {shape}")
    for _, _, statement in indexes:
        await connection.execute(statement)
    await connection.execute("VACUUM (ANALYZE, FREEZE)")
    await connection.execute("CHECKPOINT")
    await connection.close()


async def main(*counts: str) -> None:
    server = assemble(load())
    await server.open()
    live, over, codes, ordered = map(int, counts)
    filling = Filling(live, over, codes, bool(ordered))
    await fill(server, filling)
    await server.close()
    print(filling.now, filling.app_secret, *filling.apps)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
