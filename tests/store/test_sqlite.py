"""SQLite passes the contract; its file is its owner's alone; processes share it; a full disk stops nobody for good."""

import asyncio
import contextlib
import os
import re
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.contract import Contract
from tests.store.contract.databases import DatabaseContract
from tests.store.contract.races import outcomes
from tests.store.samples import NOW, account, authorization, client, digest, grant, session, settle_in, token
from valetkey.protocol.changes import Save, Spend
from valetkey.protocol.facts import BearerFacts
from valetkey.protocol.model import AuthorizationCode
from valetkey.store import (
    Store,
    Unavailable,
    cleaning,
    counters,
    open_store,
    sql,
    sqlite_file,
    sqlite_writer,
    statements,
)
from valetkey.store.sqlite import SqliteStore

FREQUENT = [
    *(
        *(dead.single() for dead in cleaning.DEAD),
        *(each for dead in cleaning.DEAD for each in dead.first),
        cleaning.BARE_SQLITE,
        cleaning.OWN_SQLITE,
        cleaning.OF_APP,
        *cleaning.EMPTYING_SQLITE.hanging,
        cleaning.EMPTYING_SQLITE.roots,
        counters.ATTEMPT,
        counters.USED,
    ),
    *(
        statements.SPEND_CODE,
        statements.REVOKE,
        statements.REVOKE_PAIR,
        statements.REVOKE_ALL,
        *statements.REMOVE,
    ),
    *(sql.SESSIONS_OF, sql.CONNECTED_APPS, sql.CLIENTS_OF, sql.PICTURE),
    *(point.single for point in vars(sql).values() if isinstance(point, sql.Point)),
    *(point.single for point in sql.WHOLE.values()),
]
CONSTANT = (
    "SCAN x",
    "SCAN CONSTANT ROW",
    "SCAN json_each VIRTUAL TABLE INDEX 1:",
)  # the keys that were asked for

SPENDER = """
import asyncio, sys
from tests.store.contract.races import outcomes
from tests.store.samples import NOW, digest
from valetkey.protocol.changes import Spend
from valetkey.protocol.model import AuthorizationCode
from valetkey.store import open_store

async def main(url):
    store = open_store(url)
    await store.open()
    print("ready", flush=True)
    input()
    ends = await outcomes(store.apply((Spend(AuthorizationCode, digest(f"code{n}"), NOW),)) for n in range(50))
    print(*ends)
    await store.close()

asyncio.run(main(sys.argv[1]))
"""


async def spender(url: str) -> asyncio.subprocess.Process:
    """Another process, which spends fifty codes when it is told to."""
    root = str(Path(__file__).parents[2])
    paths = os.pathsep.join((root, f"{root}/src"))
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SPENDER, url, env=os.environ | {"PYTHONPATH": paths}, stdin=-1, stdout=-1
    )
    assert worker.stdout
    assert await worker.stdout.readline() == b"ready\n"
    return worker


def size(file: Path) -> tuple[int, int]:
    """How long a file is and when it was written last."""
    return file.stat().st_size, file.stat().st_mtime_ns


class Failing:
    """A connection that cannot read what has this key."""

    def __init__(self, connection: Any, key: str, error: Exception | None = None) -> None:
        self.connection, self.key = connection, key
        self.error = error or sqlite3.OperationalError("disk I/O error")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        if self.key in values:
            raise self.error
        return self.connection.execute(statement, values)


class TestSqlite(Contract, DatabaseContract):
    @pytest.fixture
    def url(self, fresh_sqlite: Path) -> str:
        return f"sqlite:///{fresh_sqlite}"

    async def test_the_files_are_their_owners_alone(self, store: Store, fresh_sqlite: Path) -> None:
        await settle_in(store)
        modes = {file.name: file.stat().st_mode & 0o777 for file in fresh_sqlite.parent.iterdir()}
        assert modes == dict.fromkeys(("valetkey.db", "valetkey.db-wal", "valetkey.db-shm"), 0o600)

    async def test_of_many_processes_one_spends_a_code(self, store: Store, url: str) -> None:
        await settle_in(store)
        await grant(store, *(f"code{turn}" for turn in range(50)))
        workers = [await spender(url) for _ in range(3)]
        for worker in workers:
            assert worker.stdin
            worker.stdin.write(b"go\n")
        spends = (store.apply((Spend(AuthorizationCode, digest(f"code{n}"), NOW),)) for n in range(50))
        ends = [await outcomes(spends)]
        ends += [(await worker.communicate())[0].decode().split() for worker in workers]
        for each in zip(*ends, strict=True):
            assert Counter(each) == {"done": 1, "Conflict": 3}

    async def test_one_turn_of_the_loop_reads_one_state_and_the_next_what_others_wrote(
        self, store: SqliteStore, url: str
    ) -> None:
        other = open_store(url)
        await other.open()
        await settle_in(store)
        await store.apply((Save(authorization()), Save(token())))
        found: list[BearerFacts | None] = []

        async def twice() -> None:
            found.append(await store.bearer_facts(digest("moved")))
            connection = sqlite3.connect(url.removeprefix("sqlite:///"))
            with contextlib.closing(connection), connection:
                connection.execute("UPDATE tokens SET digest = ?", (digest("moved"),))
            found.append(await store.bearer_facts(digest("moved")))

        await twice()
        assert found == [None, None]
        await asyncio.sleep(0)
        assert await store.bearer_facts(digest("moved")) is not None
        await other.apply((Save(client("app3")),))
        assert await store.client("app3") is not None  # what was acknowledged is seen
        await other.close()

    async def test_of_look_ups_asked_together_one_that_fails_is_alone(
        self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await settle_in(store)
        monkeypatch.setattr(store, "_reader", Failing(store._reader, "lost"))
        asked = ("app", "lost", "app", "nobody")
        found = await asyncio.gather(*map(store.client, asked), return_exceptions=True)
        assert isinstance(found[1], Unavailable)
        assert [found[0], *found[2:]] == [client(), client(), None]

    async def test_of_look_ups_asked_together_none_is_empty_because_nobody_looked(
        self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await settle_in(store)
        monkeypatch.setattr(
            store, "_reader", Failing(store._reader, "lost", OverflowError("a fault of ours"))
        )
        found = await asyncio.gather(*map(store.client, ("app", "lost", "app")), return_exceptions=True)
        assert [type(each) for each in found] == [OverflowError, Unavailable, Unavailable]
        assert await store.client("app") == client()

    async def test_whoever_is_cancelled_while_it_waits_takes_nobody_along(self, store: SqliteStore) -> None:
        await settle_in(store)
        asked = [asyncio.ensure_future(store.client(key)) for key in ("app", "app", "nobody")]
        await asyncio.sleep(0)
        asked[0].cancel()
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError)
        assert found[1:] == [client(), None]
        alone = asyncio.ensure_future(store.client("app"))
        await asyncio.sleep(0)
        alone.cancel()
        await asyncio.wait([alone])
        assert await store.client("app") == client()

    async def test_nothing_is_held_once_the_turn_is_over(
        self, store: SqliteStore, fresh_sqlite: Path
    ) -> None:
        await settle_in(store)
        await store.client("app")
        await asyncio.sleep(0)
        with contextlib.closing(sqlite3.connect(fresh_sqlite)) as connection:
            busy, left, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert (busy, left, moved) == (0, 0, 0)

    async def test_a_full_disk_is_told_and_gets_over(self, store: SqliteStore) -> None:
        await settle_in(store)
        connection = store._writer._connection
        assert connection is not None
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        wide = account(7, bio="x" * 100_000)
        ends = await outcomes(store.apply((Save(each),)) for each in (account(5), wide, account(6)))
        assert ends[1] == "Unavailable"
        assert [end == "done" for end in ends] == [await store.account(key) is not None for key in (5, 7, 6)]
        assert await outcomes([store.apply((Save(wide),))]) == ["Unavailable"]
        assert await store.ready()  # one row still has room
        connection.execute("PRAGMA max_page_count = 1000000")
        await store.apply((Save(wide),))
        assert await store.account(7) == wide

    async def test_a_read_only_disk_is_told_and_gets_over(self, store: SqliteStore) -> None:
        await settle_in(store)
        connection = store._writer._connection
        assert connection is not None
        connection.execute("PRAGMA query_only = ON")
        assert await outcomes(store.apply((Save(account(key)),)) for key in (2, 3)) == ["Unavailable"] * 2
        assert not await store.ready()
        assert await store.account(1) == account()
        connection.execute("PRAGMA query_only = OFF")
        assert await store.ready()
        await store.apply((Save(account(2)),))
        assert await store.account(3) is None

    async def test_no_frequent_statement_reads_a_whole_table(self, store: Store, fresh_sqlite: Path) -> None:
        connection = sqlite3.connect(fresh_sqlite)
        scans = []
        for statement in FREQUENT:
            text = re.sub(r"[$]\d", "?", statement)
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", [1] * text.count("?"))]
            scans += [(step, statement) for step in plan if step.startswith("SCAN") and step not in CONSTANT]
        connection.close()
        assert scans == []

    async def test_a_lock_held_for_too_long_is_told(
        self, url: str, fresh_sqlite: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite_file, "PATIENCE", 0.01)
        store = open_store(url)
        await store.open()
        await settle_in(store)
        other = sqlite3.connect(fresh_sqlite, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            await store.apply((Save(account(2)),))
        assert await store.account(1) == account()
        other.execute("ROLLBACK")
        other.close()
        await store.apply((Save(account(2)),))
        await store.close()

    async def test_a_connection_that_broke_is_made_anew(self, store: SqliteStore) -> None:
        await settle_in(store)
        broken = store._writer._connection
        assert broken is not None
        store._writer._connection = None
        broken.close()
        await store.apply((Save(account(2)),))
        assert await store.account(2) == account(2)

    @pytest.mark.parametrize("wrote", [False, True])
    async def test_a_connection_that_met_an_io_error_is_not_used_again(
        self, store: SqliteStore, wrote: bool
    ) -> None:
        """Also one that it would not meet a second time."""
        await settle_in(store)
        met, errors = store._writer._connection, [sqlite3.OperationalError("disk I/O error")]
        errors[0].sqlite_errorname = "SQLITE_IOERR_WRITE"

        def job(connection: sqlite3.Connection) -> None:
            if wrote:
                connection.execute("UPDATE accounts SET bio = 'written before the error'")
            if errors:
                raise errors.pop()

        with pytest.raises(Unavailable):
            await store._writer.write(job)
        assert await store.ready()
        assert store._writer._connection not in (met, None)
        await store.apply((Save(account(2)),))
        assert await store.account(1) == account()

    @pytest.mark.parametrize("place", ["/dev/null/nowhere.db", "/"])
    async def test_a_place_where_no_file_can_be_is_told(self, place: str) -> None:
        with pytest.raises(Unavailable, match=place):
            await open_store(f"sqlite:///{place}").open()

    @pytest.fixture
    def letter(self, fresh_sqlite: Path) -> Iterator[None]:
        text = "this is a letter, " * 100
        fresh_sqlite.write_text(text)
        yield
        assert fresh_sqlite.read_text() == text

    @pytest.mark.usefixtures("letter")
    async def test_what_is_no_database_is_left_alone(self, url: str) -> None:
        with pytest.raises(Unavailable, match="not a database"):
            await open_store(url).open()

    async def test_an_idle_store_writes_nothing(self, store: Store, fresh_sqlite: Path) -> None:
        await settle_in(store)
        log = fresh_sqlite.with_name("valetkey.db-wal")
        before = size(log)
        assert await store.clean(NOW, 100) == 0
        await store.account(1)
        await store.connected_apps(1)
        assert size(log) == before

    async def test_the_log_is_moved_into_the_file_beside_the_commits(
        self, store: Store, fresh_sqlite: Path
    ) -> None:
        for start in range(1, 6001, 500):
            await store.apply(tuple(Save(account(key)) for key in range(start, start + 500)))
        assert len(await store.accounts(0, 9999)) == 6000  # runs in the thread that moves it, so behind that
        assert size(fresh_sqlite)[0] > 500_000

    async def test_what_a_clean_up_leaves_in_the_log_is_moved_in_small_pieces_while_few_write(
        self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moves: list[None] = []
        monkeypatch.setattr(store, "_move", lambda: moves.append(None))
        for start in range(0, 600, 100):
            await store.apply(tuple(Save(session(f"s{key}", 1, NOW)) for key in range(start, start + 100)))
        for _ in range(20):
            assert await store.clean(NOW, 15) == 15
        assert len(moves) == 6
        many = (store.apply((Save(account(key)),)) for key in range(100))
        assert (await asyncio.gather(*many, store.clean(NOW, 200)))[-1] == 200
        assert len(moves) == 6
        assert await store.clean(NOW, 1000) == 100
        assert len(moves) == 7

    async def test_of_moves_that_take_long_one_waits(self, store: SqliteStore) -> None:
        """Else the listings would wait behind all of them."""
        held, asked = threading.Event(), list[object]()
        store._beside.submit(held.wait, 10)
        for _ in range(3):
            store._move()
            asked.append(store._moving)
        held.set()
        assert len(set(map(id, asked))) == 1
        assert await store.accounts(0, 9) == []
        store._move()
        assert store._moving is not asked[0]

    async def test_where_no_thread_is_to_be_had_the_writer_lives_on(
        self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that ended would leave everybody waiting for ever, and the end of the process, too."""

        def none_left() -> None:
            asked.append(None)
            raise RuntimeError("can't start new thread")

        asked: list[None] = []
        monkeypatch.setattr(sqlite_writer, "_GATHERED", 1)
        monkeypatch.setattr(store._writer, "_checkpoint", none_left)
        try:
            async with asyncio.timeout(5):
                for key in range(3):
                    await store.apply((Save(session(f"s{key}", 1, NOW)),))
        finally:
            store._writer._idle.set()  # the end of this test does not wait for one that ended
        assert len(asked) >= 2

    async def test_kinds_of_which_nothing_is_dead_are_not_asked_for_with_each_batch(
        self, store: SqliteStore
    ) -> None:
        await store.apply(tuple(Save(session(f"s{key}", 1, NOW)) for key in range(30)))
        assert store._writer._connection is not None
        asked: list[str] = []
        store._writer._connection.set_trace_callback(asked.append)
        gone, tickets = [], []
        for _ in range(5):
            asked.clear()
            gone.append(await store.clean(NOW, 20))
            tickets.append(sum("DELETE FROM tickets" in text for text in asked))
        assert gone == [20, 10, 0, 0, 0]
        assert tickets == [0, 1, 0, 1, 1]
