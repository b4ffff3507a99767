"""Contract: cleaning removes what no rule can need any more, in small batches, and nothing else."""

from msgspec.structs import replace

from tests.store.samples import (
    NOW,
    account,
    authorization,
    client,
    code,
    digest,
    session,
    settle_in,
    ticket,
    token,
)
from valetkey.protocol.changes import Once, Revoke, Save, Withdraw
from valetkey.protocol.model import NOBODY, Picture
from valetkey.store import Conflict, Store


async def clean(store: Store, now: int = NOW) -> int:
    return await store.clean(now, 1000)


class CleaningContract:
    async def test_nothing_is_dead_in_nothing(self, store: Store) -> None:
        assert await clean(store) == 0

    async def test_sessions_and_tickets_go_at_their_end(self, store: Store) -> None:
        await settle_in(store)
        for name, end in (("dead", NOW), ("alive", NOW + 1)):
            await store.apply(
                (Save(session(name, 1, end)), Save(ticket(name, end)), Once(name.encode(), end))
            )
        await store.attempt(["dead"], NOW - 60, 60)
        await store.attempt(["alive"], NOW - 59, 60)
        hour = NOW // 3600
        await store.add_usage({("k", hour - 2): 1, ("k", hour - 1): 1, ("k", hour): 1}, {})
        assert await clean(store) == 5
        assert await clean(store) == 0
        assert await store.sessions_of(1) == [session("alive", 1, NOW + 1)]
        assert await store.ticket(digest("dead")) is None
        assert await store.ticket(digest("alive")) is not None
        assert await store.attempt(["dead", "alive"], NOW, 60) == [1, 2]
        counts = await store.add_usage({("k", hour - 2): 1, ("k", hour - 1): 1, ("k", hour): 1}, {})
        assert list(counts.values()) == [1, 2, 2]
        await store.apply((Once(b"dead", NOW),))
        try:
            await store.apply((Once(b"alive", NOW),))
        except Conflict:
            return
        raise AssertionError("a key was forgotten that was to be remembered")

    async def test_a_code_stays_an_hour_after_its_end(self, store: Store) -> None:
        await settle_in(store)
        for key, end in ((1, NOW - 3600), (2, NOW - 3599)):
            await store.apply((Save(authorization(key)), Save(code(f"code{key}", authorization(key), end))))
        assert await clean(store) == 2
        assert (await store.exchange_facts("app", digest("code1"))).code is None
        assert (await store.exchange_facts("app", digest("code2"))).code is not None
        await store.apply((Save(authorization(1)),))  # its id is free again

    async def test_an_authorization_stays_while_a_token_does(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(authorization()), Save(code(end=NOW - 9999))))
        await store.apply(
            (Save(token("ends", end=NOW)), Save(token("lasts", end=NOW + 1)), Save(token("forever")))
        )
        assert await clean(store) == 2
        assert await store.bearer_facts(digest("ends")) is None
        assert await store.bearer_facts(digest("lasts")) is not None
        assert await clean(store, NOW + 1) == 1
        facts = await store.bearer_facts(digest("forever"))
        assert facts is not None
        assert facts.token.authorization == authorization()
        assert await clean(store, NOW + 10**9) == 0

    async def test_the_tokens_of_a_revoked_authorization_go(self, store: Store) -> None:
        await settle_in(store)
        for key in (1, 2, 3):
            await store.apply((Save(authorization(key)), Save(token(f"t{key}", authorization(key)))))
        await store.apply((Save(code("code", authorization(2))), Revoke(1, NOW), Revoke(2, NOW)))
        assert await clean(store) == 3
        assert [await store.bearer_facts(digest(f"t{key}")) is None for key in (1, 2, 3)] == [
            True,
            True,
            False,
        ]
        found = (await store.exchange_facts("app", digest("code"))).code
        assert found is not None
        assert found.authorization.revoked_at == NOW
        assert await clean(store, NOW + 9999) == 2

    async def test_what_an_app_is_granted_for_itself_stays_for_its_next_token(self, store: Store) -> None:
        await settle_in(store)
        own = authorization(1, NOBODY)
        await store.apply((Save(own), Save(token("t", own, NOW))))
        assert await clean(store) == 1
        assert (await store.own_facts("app")).own == own
        await store.apply((Save(token("t", own, NOW + 9)), Withdraw(NOBODY, "app", NOW)))
        assert await clean(store, NOW + 1) == 2
        await store.apply((Save(own),))  # its id is free again

    async def test_what_an_app_was_granted_for_itself_goes_with_it(self, store: Store) -> None:
        made = replace(client("app", NOBODY), lapses_at=NOW)
        own = authorization(1, NOBODY)
        await store.apply((Save(made), Save(own), Save(token("t", own, NOW + 86400))))
        assert await clean(store) == 0
        assert await clean(store, NOW + 86399) == 0
        assert (await store.authorize_facts("app", None)).client is not None
        while await clean(store, NOW + 2 * 86400):
            pass
        assert (await store.authorize_facts("app", None)).client is None  # kept by nobody
        assert await store.client("app") is None
        await store.apply((Save(made), Save(own)))  # their ids are free again

    async def test_pictures_that_nobody_shows_go(self, store: Store) -> None:
        shown = replace(account(), picture="one", version=2)
        await settle_in(store)
        await store.apply((Save(shown), Save(Picture("one", 1, b"1")), Save(Picture("never", 1, b"0"))))
        await store.apply((Save(account(2, picture="one")), Save(Picture("one", 2, b"1"))))
        assert await clean(store) == 1
        assert await store.picture("never") is None
        await store.apply((Save(Picture("two", 1, b"2")), Save(replace(shown, picture="two", version=3))))
        assert await clean(store) == 1
        assert await store.picture("one") == b"1"  # the second account shows it still
        await store.apply(
            (Save(replace(account(2), version=2)), Save(replace(shown, picture="one", version=4)))
        )
        await store.apply((Save(Picture("one", 1, b"1")),))
        assert await clean(store) == 2
        assert await store.picture("two") is None

    async def test_a_limit_is_kept_and_the_rest_goes_later(self, store: Store) -> None:
        await settle_in(store)
        for key in range(1, 31):
            end = NOW - 9999
            await store.apply((Save(authorization(key)), Save(code(f"code{key}", authorization(key), end))))
            await store.apply(
                (Save(session(f"s{key}", 1, NOW)), Save(token(f"t{key}", authorization(key), NOW)))
            )
        gone = [await store.clean(NOW, 40)]
        while gone[-1]:
            gone.append(await store.clean(NOW, 40))
        assert max(gone) <= 40
        assert sum(gone) == 120
        assert await store.client("app") == client()

    async def test_many_go_in_one_call(self, store: Store) -> None:
        for start in range(0, 600, 100):
            await store.apply(tuple(Save(session(f"s{key}", 1, NOW)) for key in range(start, start + 100)))
        assert await clean(store) == 600
        assert await clean(store) == 0
