"""Contract: an authorization is the root of its codes and tokens; ending it ends them all."""

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
from valetkey.protocol.changes import Remove, Revoke, Save, Spend, Withdraw
from valetkey.protocol.facts import BearerFacts, ConnectedApp, ExchangeFacts
from valetkey.protocol.model import AuthorizationCode, Consent, Ticket
from valetkey.store import Conflict, Store


async def revoked_at(store: Store, name: str) -> int | None:
    found = (await store.exchange_facts("app", digest(name))).code
    assert found is not None
    return found.authorization.revoked_at


class TokensContract:
    async def test_all_that_an_exchange_needs_comes_at_once(self, store: Store) -> None:
        await settle_in(store)
        await grant(store, "code")
        facts = await store.exchange_facts("app", digest("code"))
        assert facts == ExchangeFacts(client(), code(), account())
        assert await store.exchange_facts("unknown", digest("code")) == ExchangeFacts(None, code(), account())
        assert await store.exchange_facts("app", digest("unknown")) == ExchangeFacts(client())

    async def test_a_code_is_exchanged_for_a_token(self, store: Store) -> None:
        await settle_in(store)
        await grant(store, "code")
        await store.apply((Spend(AuthorizationCode, digest("code"), NOW), Save(token(end=NOW + 60))))
        spent = await store.exchange_facts("app", digest("code"))
        assert spent.code == replace(code(), spent_at=NOW)
        assert await store.bearer_facts(digest("token")) == BearerFacts(
            token(end=NOW + 60), account(), client()
        )
        with pytest.raises(Conflict):
            await store.apply((Spend(AuthorizationCode, digest("code"), NOW), Save(token("second"))))
        assert await store.bearer_facts(digest("second")) is None

    async def test_every_worker_sees_the_latest_account_and_client(self, store: Store, other: Store) -> None:
        await settle_in(store)
        await grant(store, "code")
        await store.apply((Save(token()), Save(session()), Save(Consent(1, "app", ("basic",), NOW))))
        for version in range(2, 6):
            writer = (store, other)[version % 2]
            person = account(full_name=f"Number {version}", version=version)
            app = client(name=f"App {version}", disabled_at=NOW, version=version)
            await writer.apply((Save(person), Save(app)))
            for reader in (store, other):
                assert await reader.bearer_facts(digest("token")) == BearerFacts(token(), person, app)
                assert await reader.exchange_facts("app", digest("code")) == ExchangeFacts(
                    app, code(), person
                )
                facts = await reader.authorize_facts("app", digest("browser"))
                assert (facts.client, facts.account, facts.developer) == (app, person, person.full_name)
                assert await reader.client("app") == app and await reader.account(1) == person
        await other.apply((Remove("app"),))
        for reader in (store, other):
            assert await reader.bearer_facts(digest("token")) is None
            assert (await reader.exchange_facts("app", digest("code"))).client is None
            assert (await reader.authorize_facts("app", digest("browser"))).client is None

    async def test_a_code_without_a_challenge_and_a_token_without_an_end(self, store: Store) -> None:
        await settle_in(store)
        bare = replace(code(), challenge=None)
        await store.apply((Save(authorization()), Save(bare), Save(token())))
        assert (await store.exchange_facts("app", digest("code"))).code == bare
        assert await store.bearer_facts(digest("token")) == BearerFacts(token(), account(), client())

    async def test_the_confirmation_screen_writes_all_at_once(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(session()), Save(ticket())))
        yes = (Spend(Ticket, digest("ticket"), NOW), Save(Consent(1, "app", ("basic",), NOW)))
        await store.apply((*yes, Save(authorization()), Save(code())))
        assert (await store.exchange_facts("app", digest("code"))).code == code()
        with pytest.raises(Conflict):
            await store.apply((*yes, Save(authorization(2)), Save(code("other"))))
        assert (await store.exchange_facts("app", digest("other"))).code is None

    async def test_the_same_key_twice_is_a_conflict(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(authorization()), Save(code()), Save(token())))
        for record in (authorization(), code(), token()):
            with pytest.raises(Conflict):
                await store.apply((Save(record),))
        with pytest.raises(Conflict):
            await store.apply((Save(authorization(2)), Save(code())))
        with pytest.raises(Conflict):
            await store.apply((Save(authorization()), Save(code("new"))))
        with pytest.raises(Conflict):
            await store.apply((Spend(AuthorizationCode, digest("code"), NOW), Save(token())))
        assert (await store.exchange_facts("app", digest("code"))).code == code()
        assert (await store.exchange_facts("app", digest("new"))).code is None

    async def test_revoking_ends_all_that_came_from_one_act(self, store: Store) -> None:
        await settle_in(store)
        await grant(store, "one", "two")
        await store.apply((Save(token("one", authorization(1))), Save(token("two", authorization(2)))))
        await store.apply((Revoke(1, NOW), Revoke(1, NOW + 5), Revoke(99, NOW)))
        await store.apply((Revoke(1, NOW + 9),))
        ended = replace(authorization(1), revoked_at=NOW)
        assert (await store.exchange_facts("app", digest("one"))).code == code("one", ended)
        facts = await store.bearer_facts(digest("one"))
        assert facts is None or facts.token.authorization == ended
        facts = await store.bearer_facts(digest("two"))
        assert facts is not None
        assert facts.token.authorization == authorization(2)

    async def test_the_owner_takes_back_what_one_app_may(self, store: Store) -> None:
        await settle_in(store)
        await grant(store, "one", "two")
        elsewhere = (authorization(3, 1, "other"), authorization(4, 2, "app"))
        for root, name in zip(elsewhere, ("three", "four"), strict=True):
            await store.apply(
                (Save(root), Save(code(name, root)), Save(Consent(root.account_id, root.client_id, (), 1)))
            )
        await store.apply((Save(Consent(1, "app", ("basic",), NOW)), Revoke(1, NOW)))
        await store.apply((Withdraw(1, "app", NOW + 7),))
        ends = [await revoked_at(store, name) for name in ("one", "two", "three", "four")]
        assert ends == [NOW, NOW + 7, None, None]
        await store.apply((Save(session()), Save(replace(session("second"), account_id=2)), Save(account(2))))
        assert (await store.authorize_facts("app", digest("browser"))).consent is None
        assert (await store.authorize_facts("app", digest("second"))).consent == Consent(2, "app", (), 1)
        await store.apply((Withdraw(1, "app", NOW + 9), Withdraw(1, "unknown", NOW)))
        assert await revoked_at(store, "two") == NOW + 7

    async def test_the_owner_takes_back_all(self, store: Store) -> None:
        await settle_in(store)
        await grant(store, "one")
        roots = (authorization(3, 1, "other"), authorization(4, 2, "app"))
        await store.apply((*map(Save, roots), Save(code("three", roots[0])), Save(code("four", roots[1]))))
        await store.apply(
            (Save(client("other")), Save(Consent(1, "other", (), 1)), Save(Consent(1, "app", (), 1)))
        )
        await store.apply((Withdraw(1, None, NOW),))
        assert [await revoked_at(store, name) for name in ("one", "three", "four")] == [NOW, NOW, None]
        assert await store.connected_apps(1) == []

    async def test_connected_apps(self, store: Store) -> None:
        other = client("other", 2)
        await settle_in(store)
        await store.apply((Save(replace(account(2), full_name="")),))
        await store.apply(
            (Save(other), Save(authorization(1)), Save(authorization(2)), Save(authorization(3, 2)))
        )
        there = ("https://a.test/", "https://b.test/")
        said = Consent(1, "app", ("basic",), 5, ("more",), tuple((uri, ("basic",)) for uri in there))
        await store.apply((Save(said), Save(Consent(1, "other", (), 6))))
        await store.apply((Save(Consent(1, "gone", (), 7)), Save(Consent(2, "app", (), 8))))
        await store.add_usage({}, {1: NOW + 3, 2: NOW + 8, 3: NOW + 99, 77: NOW})
        await store.add_usage({}, {2: NOW + 7})
        assert await store.connected_apps(1) == [
            ConnectedApp(other, "user2", (), 6, None),
            ConnectedApp(client(), "Number 1", ("basic",), 5, NOW + 8, None, there),
        ]
        await store.apply((Save(Consent(1, "app", ("basic", "more"), 9)),))
        assert (await store.connected_apps(1))[0].scope == ("basic", "more")

    async def test_a_removed_app_leaves_nothing(self, store: Store) -> None:
        await settle_in(store)
        await grant(store, "one", "two")
        rest = authorization(9, 1, "other")
        await store.apply((Save(token("one")), Save(Consent(1, "app", (), NOW)), Save(client("other"))))
        await store.apply((Save(rest), Save(token("rest", rest)), Save(Consent(1, "other", (), NOW))))
        await store.apply((Remove("app"), Remove("unknown")))
        assert await store.client("app") is None
        assert await store.bearer_facts(digest("one")) is None
        assert await store.exchange_facts("app", digest("two")) == ExchangeFacts()
        assert [app.client.id for app in await store.connected_apps(1)] == ["other"]
        assert await store.bearer_facts(digest("rest")) == BearerFacts(
            token("rest", rest), account(), client("other")
        )
        await store.apply((Save(client()),))
        assert [app.client.id for app in await store.connected_apps(1)] == ["other"]
