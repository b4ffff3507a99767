"""Contract of the stores that last: schema, opening by many at once, closing, faults of one statement."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from msgspec.structs import astuple, replace

from tests.store.contract.editions import EditionContract
from tests.store.contract.races import outcomes
from tests.store.samples import (
    NOW,
    account,
    authorization,
    client,
    code,
    digest,
    grant,
    refresh,
    session,
    settle_in,
    token,
)
from valetkey.protocol.changes import Changes, Revoke, Save, Spend
from valetkey.protocol.model import (
    NOBODY,
    AccessToken,
    Authorization,
    AuthorizationCode,
    Client,
    Consent,
    Registration,
)
from valetkey.store import Conflict, Store, Unavailable, kept, migrate, open_store, rows
from valetkey.store.address import parse
from valetkey.store.lookups import Lookups
from valetkey.store.postgres_way import connect


def run(url: str, *statements: str) -> None:
    """Statements of another program in the same database."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(parse(url).place)) as connection, connection:
            for statement in statements:
                connection.execute(statement)
        return

    async def all_of() -> None:
        connection = await connect(parse(url))
        for statement in statements:
            await connection.execute(statement.replace("x'", "'\\x"))
        await connection.close()

    asyncio.run(all_of())


def row_of(record: Authorization | AuthorizationCode) -> str:
    """A row as the first schema's valetkey writes it."""
    if isinstance(record, Authorization):
        values = f"{record.id}, 1, '{record.client_id}', '{' '.join(record.scope)}', {record.granted_at}"
        return f"INSERT INTO authorizations(id, account_id, client_id, scope, granted_at) VALUES({values})"
    root, spent = record.authorization.id, "NULL" if record.spent_at is None else record.spent_at
    end, challenge = record.expires_at, record.challenge
    return (
        "INSERT INTO codes(digest, authorization_id, redirect_uri, expires_at, challenge, spent_at) "
        f"VALUES(x'{record.digest.hex()}', {root}, '{record.redirect_uri}', {end}, '{challenge}', {spent})"
    )


def first_rows() -> list[str]:
    """One code that waits and one that was spent."""
    one, two = authorization(1), authorization(2)
    return [
        row_of(record)
        for record in (one, two, code("waiting", one), replace(code("spent", two), spent_at=NOW))
    ]


def old_row(table: str, names: list[str], values: tuple[Any, ...], without: str) -> str:
    """A row as a valetkey writes it that has not heard of some columns."""

    def literal(value: object) -> str:
        if isinstance(value, bytes):
            return f"x'{value.hex()}'"
        return "NULL" if value is None else str(value) if isinstance(value, int) else f"'{value}'"

    known = {
        name: literal(value) for name, value in zip(names, values, strict=True) if name not in without.split()
    }
    return f"INSERT INTO {table}({', '.join(known)}) VALUES({', '.join(known.values())})"


def third_rows(app: Client, root: Authorization, access: AccessToken) -> list[str]:
    """An app that is allowed something, as the third schema's valetkey writes it."""
    said = (root.account_id, app.id, " ".join(root.scope), NOW)
    lives = (access.digest, root.id, access.created_at, access.expires_at)
    return [
        old_row("clients", rows.CLIENT, rows.client_row(app), without="registered lapses_at"),
        row_of(root),
        old_row("tokens", "digest authorization_id created_at expires_at".split(), lives, without=""),
        old_row("consents", rows.CONSENT[:4], said, without=""),
    ]


async def made(url: str, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """A database as it was after so many steps."""
    steps = migrate.steps()
    with monkeypatch.context() as before:
        before.setattr(migrate, "steps", lambda: steps[:count])
        await migrate.migrate(url)


class DatabaseContract(EditionContract):
    """A subclass gives the fixture `url`, and `store` on it."""

    async def test_the_schema_is_made_once(self, url: str) -> None:
        names = [name for _, name, _ in migrate.steps()]
        assert names[0] == "0001_start"
        assert await migrate.pending(url) == names
        assert await migrate.pending(url) == names  # asking changes nothing
        assert await migrate.migrate(url) == names
        assert await migrate.pending(url) == []
        assert await migrate.migrate(url) == []

    async def test_steps_are_numbered_without_a_gap(self) -> None:
        assert [number for number, _, _ in migrate.steps()] == list(range(1, len(migrate.steps()) + 1))

    async def test_workers_that_open_a_new_database_at_once_do_not_meet(self, url: str) -> None:
        stores = [open_store(url) for _ in range(8)]
        await asyncio.gather(*(store.open() for store in stores))
        assert all(await asyncio.gather(*(store.ready() for store in stores)))
        await asyncio.gather(*(store.apply((Save(account(key)),)) for key, store in enumerate(stores, 1)))
        assert len(await stores[0].accounts(0, 99)) == 8
        await asyncio.gather(*(store.close() for store in stores))

    async def test_a_database_of_a_newer_version_is_refused(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number, _, _ = migrate.steps()[-1]
        newer = [
            *migrate.steps(),
            (number + 1, "9999_later", "CREATE TABLE later(id INTEGER PRIMARY KEY);\n"),
        ]
        monkeypatch.setattr(migrate, "steps", lambda: newer)
        assert (await migrate.migrate(url))[-1] == "9999_later"
        monkeypatch.undo()
        for refused in (open_store(url).open(), migrate.migrate(url), migrate.pending(url)):
            with pytest.raises(migrate.NewerDatabase, match=f"version {number + 1}.* newer valetkey"):
                await refused

    async def test_what_was_never_opened_refuses_and_can_be_closed(self, url: str) -> None:
        store = open_store(url)
        await store.close()
        assert not await store.ready()
        with pytest.raises(Unavailable):
            await store.account(1)
        with pytest.raises(Unavailable):
            await store.apply((Save(account()),))

    async def test_a_step_that_fails_leaves_nothing(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        steps = migrate.steps()
        broken = [
            *steps,
            (len(steps) + 1, "9999_broken", "CREATE TABLE half(id INTEGER);\nDROP TABLE none;\n"),
        ]
        monkeypatch.setattr(migrate, "steps", lambda: broken)
        with pytest.raises(Exception, match="none"):
            await migrate.migrate(url)
        monkeypatch.undo()
        assert await migrate.migrate(url) == [name for _, name, _ in steps]

    async def test_codes_of_the_first_schema_are_all_there_after_the_second(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await made(url, monkeypatch, 1)
        await asyncio.to_thread(run, url, *first_rows())
        new = open_store(url)
        await new.open()
        waiting, spent = [(await new.exchange_facts("app", digest(n))).code for n in ("waiting", "spent")]
        assert waiting == code("waiting", authorization(1))
        assert spent == replace(code("spent", authorization(2)), spent_at=NOW)
        # a replica of before goes on while others are newer
        await asyncio.to_thread(run, url, row_of(authorization(3)), row_of(code("late", authorization(3))))
        await new.apply((Spend(AuthorizationCode, digest("late"), NOW),))
        with pytest.raises(Conflict):
            await new.apply((Spend(AuthorizationCode, digest("late"), NOW),))
        await new.close()

    async def test_what_the_third_schema_had_is_all_there_after_the_fourth(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await made(url, monkeypatch, 3)
        person, browser = (
            old_row("accounts", rows.ACCOUNT, astuple(account()), without=""),
            old_row("sessions", rows.SESSION, astuple(session(end=NOW + 9)), without=""),
        )
        before = token("before", authorization(1))
        await asyncio.to_thread(
            run, url, person, browser, *third_rows(client(), before.authorization, before)
        )
        new = open_store(url)
        await new.open()
        assert await new.client("app") == client()
        assert (await new.signed_in(digest("browser"))) is not None
        facts = await new.authorize_facts("app", digest("browser"))
        assert facts.consent == Consent(1, "app", before.authorization.scope, NOW)
        # a replica of before goes on while others are newer
        late = token("late", authorization(2, app="late"), NOW + 60)
        await asyncio.to_thread(run, url, *third_rows(client("late"), late.authorization, late))
        for each in (before, late):
            found = await new.bearer_facts(each.digest)
            assert found is not None and found.token == each
            assert found.client == client(each.authorization.client_id)
        changed = replace(client(), registered=Registration(scope=("basic",)), version=2)
        await new.apply((Save(changed), Revoke(1, NOW)))
        assert await new.client("app") == changed
        assert await new.clean(NOW + 1, 1000) == 2  # the token and its root
        await new.close()

    async def test_where_too_many_accounts_are_in_use_each_comes_along(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await settle_in(store)
        own, session_digest = authorization(2, NOBODY), digest("browser")
        await store.apply((Save(session()), Save(Consent(1, "app", ("basic",), NOW)), Save(authorization())))
        await store.apply((Save(code("code")), Save(token()), Save(refresh()), Save(own)))
        await store.apply((Save(token("own", own)),))

        async def all_facts() -> list[object]:
            return [
                *[await store.authorize_facts("app", asked) for asked in (session_digest, b"?", None)],
                *[await store.exchange_facts("app", digest(name)) for name in ("code", "?")],
                *[await store.bearer_facts(digest(name)) for name in ("token", "own", "?")],
                *[await store.introspect_facts("app", digest(name)) for name in ("token", "own", "?")],
                *[await store.refresh_facts("app", digest(name)) for name in ("refresh", "?")],
            ]

        assert isinstance(store, Lookups)
        before = await all_facts()
        for key in range(100, 100 + kept.MOST):
            store._accounts.keep(key, account(key), 1)
        monkeypatch.setattr(store, "account", None)  # no second look-up
        assert await all_facts() == before
        monkeypatch.undo()
        changed = replace(account(), full_name="Another", version=2)
        await store.apply((Save(changed),))
        found = await store.bearer_facts(digest("token"))
        assert found is not None and found.account == changed

    async def test_it_is_all_there_when_opened_again(self, url: str) -> None:
        for turn in range(3):
            store = open_store(url)
            await store.open()
            if turn == 0:
                await settle_in(store)
            assert await store.account(1) == account()
            assert await store.client("app") == client()
            await store.close()

    async def test_closing_finishes_what_was_handed_in_and_refuses_the_rest(self, url: str) -> None:
        store = open_store(url)
        await store.open()
        asked = [asyncio.ensure_future(store.apply((Save(account(key)),))) for key in range(1, 700)]
        await asyncio.sleep(0)
        await store.close()
        assert await outcomes(asked) == ["done"] * 699
        for late in (store.apply((Save(account(999)),)), store.account(1), store.sessions_of(1)):
            with pytest.raises(Unavailable):
                await late
        assert not await store.ready()
        again = open_store(url)
        await again.open()
        assert len(await again.accounts(0, 999)) == 699
        await again.close()

    async def test_a_statement_that_fails_fails_alone(self, store: Store) -> None:
        await settle_in(store)
        await grant(store, *(f"code{turn}" for turn in range(4)))
        lists: list[Changes] = [(Spend(AuthorizationCode, digest(f"code{turn}"), NOW),) for turn in range(4)]
        for wrong in (None, object()):
            faulty = replace(account(51), full_name=wrong)
            lists[2:2] = [(Save(account(50)), Save(faulty)), (Save(faulty),)]
        ends = await outcomes(map(store.apply, lists))
        assert ends[:2] + ends[6:] == ["done"] * 4
        assert set(ends[2:6]) & {"done", "Conflict", "Unavailable"} == set()
        assert await store.account(50) is None

    async def test_an_app_is_emptied_in_batches(self, store: Store) -> None:
        """Many people with little each, and one authorization with much: nothing else goes, and the app stays."""
        await settle_in(store)
        roots = [authorization(key) for key in range(1, 8)]
        for root in roots:
            name = f"of {root.id}"
            await store.apply((Save(root), Save(code(name, root)), Save(token(name, root))))
            await store.apply((Save(refresh(name, root)),))
        own, rest = authorization(8, NOBODY), authorization(9, 1, "other")
        await store.apply((Save(own), Save(rest), Save(client("other")), Save(token("rest", rest))))
        for number in range(30):
            await store.apply((Save(token(f"own {number}", own)),))
        gone = []
        while not gone or gone[-1]:
            gone.append(await store.empty("app", 16))
        assert max(gone) <= 16 and sum(gone) == 7 * 4 + 31
        for name in ("of 1", "of 7", "own 0", "own 29"):
            assert await store.bearer_facts(digest(name)) is None
        assert (await store.refresh_facts("app", digest("of 3"))).refresh is None
        assert (await store.exchange_facts("app", digest("of 3"))).code is None
        assert await store.bearer_facts(digest("rest")) is not None
        assert await store.client("app") == client()
        assert await store.empty("nobody", 16) == 0
