"""Contract: of many who come at once one is first, the others are told, and nobody disturbs a neighbour."""

import asyncio
from collections.abc import Awaitable, Iterable

import pytest
from msgspec.structs import replace

from tests.store.samples import (
    NOW,
    account,
    authorization,
    client,
    code,
    digest,
    grant,
    session,
    settle_in,
    ticket,
    token,
)
from valetkey.protocol.changes import Changes, EndAll, Hold, Once, Revoke, Save, Spend, Stands, Withdraw
from valetkey.protocol.model import AuthorizationCode, Consent, Ticket
from valetkey.store import Conflict, Store


async def outcomes(tries: Iterable[Awaitable[None]]) -> list[str]:
    """How each try ended: "done" or the name of its exception."""
    ends = await asyncio.gather(*tries, return_exceptions=True)
    return ["done" if end is None else type(end).__name__ for end in ends]


def exchange(name: str, to: str, key: int = 1) -> Changes:
    return Spend(AuthorizationCode, digest(name), NOW), Save(token(to, authorization(key)))


class RacesContract:
    async def test_a_code_is_good_for_one_of_fifty(self, store: Store, other: Store) -> None:
        await settle_in(store)
        await grant(store, "code")
        ends = await outcomes(
            (store, other)[turn % 2].apply(exchange("code", f"token{turn}")) for turn in range(50)
        )
        assert sorted(ends) == ["Conflict"] * 49 + ["done"]
        found = [await store.bearer_facts(digest(f"token{turn}")) is not None for turn in range(50)]
        assert found == [end == "done" for end in ends]

    async def test_a_replay_revokes_what_the_first_one_got(self, store: Store, other: Store) -> None:
        await settle_in(store)
        await grant(store, "code")
        await store.apply(exchange("code", "first"))
        with pytest.raises(Conflict):
            await other.apply(exchange("code", "second"))
        again = (await other.exchange_facts("app", digest("code"))).code
        assert again is not None
        assert again.spent_at == NOW
        await other.apply((Revoke(again.authorization.id, NOW + 1),))
        facts = await store.bearer_facts(digest("first"))
        assert facts is not None
        assert facts.token.authorization.revoked_at == NOW + 1

    async def test_many_exchanges_at_once(self, store: Store, other: Store) -> None:
        await settle_in(store)
        names = [f"code{turn}" for turn in range(100)]
        await grant(store, *names)
        ends = await outcomes(
            (store, other)[key % 2].apply(exchange(name, f"t{key}", key)) for key, name in enumerate(names, 1)
        )
        assert ends == ["done"] * 100
        for key in range(1, 101):
            facts = await store.bearer_facts(digest(f"t{key}"))
            assert facts is not None
            assert facts.token == token(f"t{key}", authorization(key))

    async def test_what_is_acknowledged_is_seen_by_all(self, store: Store, other: Store) -> None:
        await settle_in(store)
        for turn in range(20):
            await store.apply((Save(account(turn + 10)),))
            assert await other.account(turn + 10) == account(turn + 10)
            assert await store.account(turn + 10) == account(turn + 10)

    async def test_a_bad_neighbour_disturbs_nobody(self, store: Store) -> None:
        await settle_in(store)
        await grant(store, *(f"code{turn}" for turn in range(10)))
        await store.apply((Save(token("taken")),))
        odd: list[Changes] = [
            (Save(account(50)), Save(account(51, "a\0b"))),
            (*exchange("code7", "t7", 8)[:1], Save(token("taken"))),
            (Save(authorization(60)), Save(code("code1"))),
            (Save(account(52)), Save(account(53, "user1"))),
            (Spend(AuthorizationCode, digest("unknown"), NOW), Save(token("unknown"))),
        ]
        good = [exchange(f"code{turn}", f"t{turn}", turn + 1) for turn in range(7)]
        mixed = [changes for pair in zip(odd, good, strict=False) for changes in pair] + good[len(odd) :]
        ends = await outcomes(map(store.apply, mixed))
        assert [end for changes, end in zip(mixed, ends, strict=True) if changes in good] == ["done"] * 7
        assert ends.count("Conflict") == 4
        assert "done" not in [end for changes, end in zip(mixed, ends, strict=True) if changes in odd]
        assert [await store.account(key) for key in (50, 51, 52, 53)] == [None] * 4
        found = [(await store.exchange_facts("app", digest(f"code{turn}"))).code for turn in range(8)]
        assert [each and each.spent_at for each in found] == [NOW] * 7 + [None]

    async def test_nothing_is_granted_under_a_consent_that_was_taken_back(
        self, store: Store, other: Store
    ) -> None:
        await settle_in(store)
        consent, hold = Save(Consent(1, "app", ("basic",), NOW)), Hold(1, "app")
        for turn in range(10):
            await store.apply((consent,))
            keys = range(turn * 20 + 1, turn * 20 + 21)
            grants: list[Changes] = [
                (hold, Save(authorization(key)), Save(code(f"code{key}", authorization(key)))) for key in keys
            ]
            grants[turn:turn] = [(Withdraw(1, "app", NOW),)]
            ends = await outcomes(
                (store, other)[number % 2].apply(each) for number, each in enumerate(grants)
            )
            assert ends.pop(turn) == "done"
            for key, end in zip(keys, ends, strict=True):
                found = (await store.exchange_facts("app", digest(f"code{key}"))).code
                assert (end, found is None) in (("done", False), ("Conflict", True))
                assert found is None or found.authorization.revoked_at == NOW
        ends = await outcomes(store.apply((hold, each)) for each in (Save(authorization(900)), consent))
        assert ends == ["Conflict", "Conflict"]

    async def test_nothing_is_granted_to_a_session_that_was_ended(self, store: Store, other: Store) -> None:
        """A new password ends the sessions and what apps hold; a yes that is under way comes before or not at all."""
        await settle_in(store)
        for turn in range(10):
            names = [f"{turn}.{number}" for number in range(20)]
            await store.apply((Save(session()), *(Save(ticket(name)) for name in names)))
            roots = [authorization(turn * 20 + number) for number in range(1, 21)]
            consent = Save(Consent(1, "app", ("basic",), NOW))
            lists: list[Changes] = [
                (Spend(Ticket, digest(name), NOW), consent, Save(root), Save(code(name, root)))
                for name, root in zip(names, roots, strict=True)
            ]
            lists[turn:turn] = [(EndAll(1), Withdraw(1, None, NOW))]
            ends = await outcomes((store, other)[number % 2].apply(each) for number, each in enumerate(lists))
            assert ends.pop(turn) == "done"
            for name, end in zip(names, ends, strict=True):
                found = (await store.exchange_facts("app", digest(name))).code
                assert (end, found is None) in (("done", False), ("Conflict", True))
                assert found is None or found.authorization.revoked_at == NOW

    async def test_no_session_is_opened_on_what_an_account_was_before(
        self, store: Store, other: Store
    ) -> None:
        """A new password ends the sessions; a login that is under way comes before or not at all."""
        await settle_in(store)
        for turn in range(10):
            opened: list[Changes] = [
                (Stands(1, turn + 1), Save(session(f"{turn}.{number}"))) for number in range(20)
            ]
            opened[turn:turn] = [(Save(account(password=f"argon{turn}", version=turn + 2)), EndAll(1))]
            ends = await outcomes(
                (store, other)[number % 2].apply(each) for number, each in enumerate(opened)
            )
            assert ends.pop(turn) == "done" and set(ends) <= {"done", "Conflict"}
            assert await store.sessions_of(1) == []
        for stale in (Stands(1, 10), Stands(1, 12), Stands(2, 1)):
            assert await outcomes([store.apply((stale, Save(session())))]) == ["Conflict"]
        await store.apply((Stands(1, 11), Save(session())))
        assert await store.sessions_of(1) == [session()]

    async def test_a_name_is_taken_once(self, store: Store, other: Store) -> None:
        ends = await outcomes(
            (store, other)[key % 2].apply((Save(account(key, "Anna")),)) for key in range(1, 21)
        )
        assert sorted(ends) == ["Conflict"] * 19 + ["done"]
        assert len(await store.accounts(0, 99)) == 1

    async def test_a_version_is_followed_once(self, store: Store, other: Store) -> None:
        await settle_in(store)
        for version in (2, 3):
            ends = await outcomes(
                (store, other)[turn % 2].apply((Save(replace(client(), name=f"N{turn}", version=version)),))
                for turn in range(20)
            )
            assert sorted(ends) == ["Conflict"] * 19 + ["done"]
            assert await store.client("app") == client("app", name=f"N{ends.index('done')}", version=version)

    async def test_once_is_once(self, store: Store, other: Store) -> None:
        ends = await outcomes((store, other)[turn % 2].apply((Once(b"jti", NOW),)) for turn in range(20))
        assert sorted(ends) == ["Conflict"] * 19 + ["done"]

    async def test_who_stops_waiting_does_not_break_the_rest(self, store: Store) -> None:
        await settle_in(store)
        await grant(store, *(f"code{turn}" for turn in range(9)))
        tasks = [
            asyncio.ensure_future(store.apply(exchange(f"code{turn}", f"t{turn}", turn + 1)))
            for turn in range(9)
        ]
        for turn, task in enumerate(tasks):
            if turn % 3 == 0:
                task.cancel()
            if turn == 4:
                await asyncio.sleep(0)
                tasks[1].cancel()
        ends = await outcomes(tasks)
        assert [end for turn, end in enumerate(ends) if turn % 3 and turn != 1] == ["done"] * 5
        assert [
            turn for turn in (2, 4, 5, 7, 8) if await store.bearer_facts(digest(f"t{turn}")) is None
        ] == []

    async def test_many_look_ups_at_once_keep_their_own_answers(self, store: Store) -> None:
        await store.apply(tuple(Save(account(key)) for key in range(1, 60)))
        found = await asyncio.gather(*(store.account(key) for key in range(1, 120)))
        assert found == [account(key) if key < 60 else None for key in range(1, 120)]
        facts = await asyncio.gather(
            *(store.authorize_facts("a\0b" if key % 2 else "x", None) for key in range(9))
        )
        assert {each.client for each in facts} == {None}
