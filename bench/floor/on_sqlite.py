"""The floor on SQLite: reads on the loop, writes by one thread that commits what is waiting as one transaction."""

import asyncio
import queue
import sqlite3
import threading
from typing import Any

from rows import LIFETIME

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=20000",
    "cache_size=-65536",
    "mmap_size=1073741824",
    "temp_store=MEMORY",
    "wal_autocheckpoint=4000",
)
MOST = 512  # exchanges in one transaction
CLIENT = "SELECT digest FROM client WHERE name = ?"
SPEND = """UPDATE code SET spent = ?5 WHERE id = ?1 AND digest = ?2 AND client = ?3 AND redirect_uri = ?4
    AND spent IS NULL AND expires > ?5 RETURNING account, scope"""
KEEP = "INSERT INTO token VALUES(?, ?, ?, ?, ?, ?, ?)"
ACCOUNT = "SELECT id, username, full_name, picture FROM account WHERE id = ?"
BEARER = """SELECT t.digest, t.expires, a.id, a.username, a.full_name, a.picture
    FROM token t JOIN account a ON a.id = t.account WHERE t.id = ?"""


def connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


class OnSqlite:
    """One connection to read, one to write."""

    def __init__(self, path: str) -> None:
        self.path, self.waiting = path, queue.SimpleQueue()  # type: str, queue.SimpleQueue[Any]

    async def open(self) -> None:
        self.reads, self.writes = connect(self.path), connect(self.path)
        self.last = self.reads.execute("SELECT max(id) FROM token").fetchone()[0]
        self.loop = asyncio.get_running_loop()
        threading.Thread(target=self.write, daemon=True).start()

    def next_id(self) -> int:
        self.last += 1
        return self.last

    async def client(self, name: str) -> Any:
        return self.reads.execute(CLIENT, (name,)).fetchone()

    async def bearer(self, number: int) -> Any:
        return self.reads.execute(BEARER, (number,)).fetchone()

    async def exchange(self, asked: tuple[Any, ...]) -> Any:
        answer = self.loop.create_future()
        self.waiting.put((answer, asked))
        return await answer

    def write(self) -> None:
        """The writer thread."""
        while True:
            batch = self.batch()
            self.writes.execute("BEGIN IMMEDIATE")
            done = [(answer, self.exchanged(*asked)) for answer, asked in batch]
            self.writes.execute("COMMIT")
            self.loop.call_soon_threadsafe(tell, done)

    def batch(self) -> list[Any]:
        found = [self.waiting.get()]
        try:
            while len(found) < MOST:
                found.append(self.waiting.get_nowait())
        except queue.Empty:
            pass
        return found

    def exchanged(self, *asked: Any) -> Any:
        *spent, token_id, digest = asked
        row = self.writes.execute(SPEND, spent).fetchone()
        if row is None:
            return None
        account, scope = row
        now = spent[4]
        self.writes.execute(KEEP, (token_id, digest, spent[2], account, scope, now, now + LIFETIME))
        return self.writes.execute(ACCOUNT, (account,)).fetchone()


def tell(done: list[Any]) -> None:
    for answer, row in done:
        if not answer.done():
            answer.set_result(row)
