"""Contract: what is saved is found again as it was; versions and names are kept apart; odd text does no harm."""

import pytest
from msgspec.structs import replace

from tests.store.samples import NOW, account, client, digest, session, settle_in, ticket
from valetkey.protocol.changes import Changes, End, EndAll, Once, Save, Seen, Spend
from valetkey.protocol.facts import AuthorizeFacts, ExchangeFacts
from valetkey.protocol.model import Account, Client, ClientSecret, Consent, Picture, Ticket
from valetkey.store import Conflict, Store

SECRETS = (ClientSecret(b"\0" * 32, b"\xff" * 64, "ab", NOW), ClientSecret(b"1", b"2", "", NOW, NOW + 1))
ODD = ["a\0b", "\0", "lone \ud800 surrogate"]


class RecordsContract:
    async def test_one_consent_can_be_asked_for(self, store: Store) -> None:
        await settle_in(store)
        said = Consent(1, "app", ("basic", "photos"), NOW)
        places = (("https://a.test/?x=1", ("basic",)), ("urn:b", ("basic", "photos")))
        for each in (said, replace(said, resource=places), said):
            await store.apply((Save(each),))
            assert await store.consent(1, "app") == each
        for account_id, client_id in ((2, "app"), (1, "other"), (1, "a\0p")):
            assert await store.consent(account_id, client_id) is None

    async def test_it_answers(self, store: Store) -> None:
        assert await store.ready()

    async def test_nothing_is_found_in_nothing(self, store: Store) -> None:
        assert await store.authorize_facts("app", digest("x")) == AuthorizeFacts()
        assert await store.authorize_facts("app", None) == AuthorizeFacts()
        assert await store.exchange_facts("app", digest("x")) == ExchangeFacts()
        assert await store.bearer_facts(digest("x")) is None
        assert await store.ticket(digest("x")) is None
        assert await store.client("app") is None
        assert await store.account(1) is None
        assert await store.account_named("user1") is None
        assert await store.signed_in(digest("x")) is None
        assert await store.picture("00") is None
        listings = [await store.sessions_of(1), await store.connected_apps(1), await store.clients_of(1)]
        assert [*listings, await store.clients("", 9), await store.accounts(0, 9)] == [[], [], [], [], []]

    async def test_an_account_comes_back_whole(self, store: Store) -> None:
        whole = account(2**62, "Zoë", bio="a\nb", website="https://z.test", picture="ab", disabled_at=NOW)
        await store.apply((Save(whole), Save(account(2))))
        assert await store.account(2**62) == whole
        assert await store.account_named("zoë") == whole
        assert await store.account(2) == account(2)

    async def test_a_client_comes_back_whole(self, store: Store) -> None:
        whole = client("whole", redirect_uris=("https://a.test/?q=\"'", "app:/cb"), secrets=SECRETS)
        whole = replace(whole, description="ü\n", website="https://w.test", allow_implicit=True, sandbox=True)
        whole = replace(whole, testers=(1, 2**60), signed_requests=True, rate_limit=5, disabled_at=NOW)
        bare = Client("bare", 7, "Bare", "native", "oauth21", (), NOW)
        await store.apply((Save(whole), Save(bare)))
        assert await store.client("whole") == whole
        assert await store.client("bare") == bare
        assert type((await store.client("whole") or bare).sandbox) is bool

    async def test_all_that_a_confirmation_screen_needs_comes_at_once(self, store: Store) -> None:
        await settle_in(store)
        there = (("https://a.test/", ("basic",)),)
        consent = Consent(1, "app", ("basic",), NOW, ("likes", "comments"), there)
        await store.apply((Save(session()), Save(consent), Save(Consent(1, "other", (), NOW))))
        facts = await store.authorize_facts("app", digest("browser"))
        assert facts == AuthorizeFacts(client(), "Number 1", session(), account(), consent)
        assert await store.authorize_facts("app", None) == AuthorizeFacts(client(), "Number 1")
        assert await store.authorize_facts("app", digest("x")) == AuthorizeFacts(client(), "Number 1")
        unknown = await store.authorize_facts("unknown", digest("browser"))
        assert unknown == AuthorizeFacts(session=session(), account=account())

    async def test_a_developer_without_a_full_name_goes_by_the_username(self, store: Store) -> None:
        await store.apply(
            (Save(replace(account(), full_name="")), Save(client()), Save(client("orphan", 99)))
        )
        assert (await store.authorize_facts("app", None)).developer == "user1"
        assert await store.authorize_facts("orphan", None) == AuthorizeFacts(client("orphan", 99), "")

    async def test_sessions(self, store: Store) -> None:
        await settle_in(store)
        first, second, third = session("1"), session("2"), session("3")
        await store.apply((Save(first), Save(second), Save(third), Save(session("stranger", 2))))
        await store.apply((Seen(second.digest, NOW + 9, NOW + 999), Seen(digest("unknown"), NOW, NOW)))
        second = replace(second, last_seen_at=NOW + 9, expires_at=NOW + 999)
        assert await store.signed_in(second.digest) == (second, account())
        assert await store.signed_in(digest("stranger")) is None  # no such account
        rest = sorted((first, third), key=lambda kept: kept.digest)
        assert await store.sessions_of(1) == [second, *rest]
        await store.apply((End(2, first.digest), End(1, third.digest)))
        assert {kept.digest for kept in await store.sessions_of(1)} == {first.digest, second.digest}
        await store.apply((EndAll(1, first.digest),))
        assert await store.sessions_of(1) == [first]
        await store.apply((EndAll(1),))
        assert await store.sessions_of(1) == []
        assert await store.sessions_of(2) == [session("stranger", 2)]

    async def test_tickets(self, store: Store) -> None:
        await store.apply((Save(session()), Save(ticket()), Save(ticket("other"))))
        assert await store.ticket(digest("ticket")) == ticket()
        await store.apply((Spend(Ticket, digest("ticket"), NOW),))
        assert await store.ticket(digest("ticket")) == replace(ticket(), spent_at=NOW)
        await store.apply((EndAll(1),))
        with pytest.raises(Conflict):  # who was logged in is not any more
            await store.apply((Spend(Ticket, digest("other"), NOW),))
        assert await store.ticket(digest("other")) == ticket("other")

    async def test_listings_go_on_behind_the_last_one(self, store: Store) -> None:
        names = ["B", "a", "b", "Ä", "-"]
        await store.apply(tuple(Save(client(name, 3)) for name in names))
        await store.apply(tuple(Save(account(key)) for key in (3, 1, 2)))
        found = [app.id for app in await store.clients("", 99)]
        assert found == sorted(names, key=str.encode)
        assert [app.id for app in await store.clients(found[1], 2)] == found[2:4]
        assert [each.id for each in await store.accounts(1, 1)] == [2]
        assert [each.id for each in await store.accounts(1, 9)] == [2, 3]
        assert [app.id for app in await store.clients_of(3)] == found
        assert await store.clients_of(1) == []

    async def test_pictures(self, store: Store) -> None:
        await settle_in(store)
        content = bytes(range(256)) * 100
        await store.apply(
            (Save(Picture("ab", 1, content)), Save(replace(account(), picture="ab", version=2)))
        )
        await store.apply((Save(Picture("ab", 1, content)), Save(Picture("ab", 2, content))))
        assert await store.picture("ab") == content

    async def test_a_record_follows_the_version_before_it(self, store: Store) -> None:
        await settle_in(store)
        renamed = replace(account(), username="Other", canonical="other", full_name="New", version=2)
        improved = replace(client(), name="Better", secrets=(), version=2)
        await store.apply((Save(renamed), Save(improved)))
        assert await store.account_named("other") == await store.account(1) == renamed
        assert await store.account_named("user1") is None
        assert await store.client("app") == improved
        stale: list[Account | Client] = [
            renamed,
            improved,
            account(),
            client(),
            replace(client("no"), version=2),
        ]
        stale += [replace(renamed, version=4), replace(account(9), version=2)]
        for record in stale:
            with pytest.raises(Conflict):
                await store.apply((Save(record),))
        assert (await store.account(1), await store.client("app")) == (renamed, improved)
        assert await store.account(9) is None

    async def test_a_name_belongs_to_one_account(self, store: Store) -> None:
        await store.apply((Save(account(1, "Anna")), Save(account(2, "Bert"))))
        with pytest.raises(Conflict):
            await store.apply((Save(account(3, "anna")),))
        with pytest.raises(Conflict):
            await store.apply((Save(replace(account(2, "ANNA"), version=2)),))
        assert await store.account(2) == account(2, "Bert")
        await store.apply((Save(replace(account(1, "Carl"), version=2)), Save(account(3, "anna"))))
        assert await store.account_named("anna") == account(3, "anna")

    @pytest.mark.parametrize(
        "twice", [Save(session()), Save(ticket()), Once(b"key", NOW)], ids=["session", "ticket", "once"]
    )
    async def test_what_must_be_new_must_be_new(self, store: Store, twice: Save | Once) -> None:
        await store.apply((twice,))
        with pytest.raises(Conflict):
            await store.apply((twice,))

    async def test_a_list_is_written_whole_or_not_at_all(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(session()), Save(ticket()), Once(b"seen", NOW)))
        losers: list[Changes] = [
            (Save(session("a")), Spend(Ticket, digest("none"), NOW)),
            (Save(session("a")), Save(ticket("b")), Save(ticket())),
            (Save(Consent(1, "app", (), NOW)), Save(account(5)), Save(replace(client(), version=5))),
            (Spend(Ticket, digest("ticket"), NOW), Once(b"new", NOW), Once(b"seen", NOW)),
        ]
        for changes in losers:
            with pytest.raises(Conflict):
                await store.apply(changes)
        assert await store.sessions_of(1) == [session()]
        assert await store.connected_apps(1) == []
        assert await store.account(5) is None
        assert await store.ticket(digest("ticket")) == ticket()
        await store.apply((Once(b"new", NOW), Spend(Ticket, digest("ticket"), NOW)))

    async def test_nothing_to_do_is_done(self, store: Store) -> None:
        await store.apply(())
        await store.forget_attempts([])
        assert await store.attempt([], NOW, 60) == []
        assert await store.add_usage({}, {}) == {}

    @pytest.mark.parametrize("odd", ODD)
    async def test_odd_text_is_refused_when_written_and_names_nothing(self, store: Store, odd: str) -> None:
        await settle_in(store)
        with pytest.raises(ValueError, match="cannot be stored"):
            await store.apply((Save(account(7)), Save(replace(account(8), bio=odd))))
        with pytest.raises(ValueError, match="cannot be stored"):
            await store.apply((Save(replace(account(), id=2**63)),))
        with pytest.raises(ValueError, match="cannot be stored"):
            await store.attempt([odd], NOW, 60)
        assert await store.account(7) is None
        assert await store.client(odd) is None
        assert await store.account_named(odd) is None
        assert await store.picture(odd) is None
        assert await store.account(2**63) is None
        assert await store.sessions_of(2**80) == []
        assert await store.exchange_facts(odd, digest("x")) == ExchangeFacts()
        assert (await store.authorize_facts(odd, None)).client is None

    async def test_odd_but_sound_text_comes_back_as_it_was(self, store: Store) -> None:
        odd = "'; DROP TABLE accounts; -- \\ \x01\x7f\u200b\ufeff\ufffe e\u0301 \U0001f511\U0010ffff %s $1 ?1"
        uris = (odd, "", " ")
        await store.apply((Save(replace(account(), bio=odd)), Save(client("app", redirect_uris=uris))))
        assert (await store.account(1) or account(9)).bio == odd
        assert (await store.client("app") or client("no")).redirect_uris == uris
