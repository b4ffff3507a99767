"""Contract: what a question about a token is answered from, and one token that ends alone."""

from msgspec.structs import replace

from tests.store.samples import NOW, account, authorization, client, digest, settle_in, token
from valetkey.protocol.changes import Expire, Remove, Revoke, Save
from valetkey.protocol.facts import BearerFacts, ExchangeFacts
from valetkey.protocol.model import NOBODY, Registration, Terms
from valetkey.store import Store

NOTHING = digest("nothing")


class QuestionsContract:
    async def test_the_caller_and_the_token_come_together(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(client("server")), Save(authorization()), Save(token(end=NOW + 60))))
        facts = BearerFacts(token(end=NOW + 60), account(), client())
        assert await store.introspect_facts("server", digest("token")) == ExchangeFacts(
            client("server"), subject=facts
        )
        assert await store.introspect_facts("app", digest("token")) == ExchangeFacts(client(), subject=facts)
        assert await store.introspect_facts("nobody", digest("token")) == ExchangeFacts(subject=facts)
        assert await store.introspect_facts("app", NOTHING) == ExchangeFacts(client())
        assert await store.introspect_facts("app", b"") == ExchangeFacts(client())
        assert await store.introspect_facts("a\0b", NOTHING) == ExchangeFacts()

    async def test_an_apps_own_token_is_nobodys(self, store: Store) -> None:
        await settle_in(store)
        root = authorization(1, NOBODY)
        await store.apply((Save(root), Save(token(root=root))))
        found = await store.introspect_facts("app", digest("token"))
        assert found.subject == BearerFacts(token(root=root), None, client())

    async def test_one_token_ends_alone(self, store: Store, other: Store) -> None:
        await settle_in(store)
        lives = (Save(token("one")), Save(token("two", end=NOW + 60)), Save(token("old", end=NOW - 5)))
        await store.apply((Save(authorization()), *lives))
        await store.apply((Expire(digest("one"), NOW), Expire(digest("old"), NOW), Expire(NOTHING, NOW)))
        await store.apply(
            (Expire(digest("one"), NOW + 9),)
        )  # ending it twice is no conflict, and changes nothing
        ends = []
        for name in ("one", "two", "old"):
            facts = (await other.introspect_facts("app", digest(name))).subject
            assert facts is not None
            ends.append(facts.token.expires_at)
        assert ends == [NOW, NOW + 60, NOW - 5]
        await store.apply((Expire(digest("two"), NOW), Revoke(2, NOW)))
        assert await store.clean(NOW, 100) == 4  # and the authorization goes with the last
        assert await store.bearer_facts(digest("two")) is None

    async def test_a_token_that_was_exchanged_lives_as_long_as_who_holds_it(self, store: Store) -> None:
        await settle_in(store)
        bound = replace(token(), terms=Terms(client="other"))
        await store.apply((Save(client("other")), Save(authorization()), Save(bound)))
        assert (await store.bearer_facts(bound.digest)) == BearerFacts(bound, account(), client())
        await store.apply((Save(client("other", disabled_at=NOW, version=2)),))
        assert await store.bearer_facts(bound.digest) is None
        assert (await store.introspect_facts("app", bound.digest)).subject is None
        await store.apply((Save(client("other", version=3)),))
        assert (await store.introspect_facts("app", bound.digest)).subject is not None
        for version, second, lives in ((4, NOW, False), (5, NOW - 1, True)):
            after = Registration(exchanged_after=second)
            await store.apply((Save(client("other", registered=after, version=version)),))
            assert (await store.bearer_facts(bound.digest) is not None) is lives
        await store.apply((Remove("other"),))
        assert await store.bearer_facts(bound.digest) is None
