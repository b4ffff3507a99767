"""Contract: clients that made themselves known are counted, and go when nobody wants them; tokens to register with."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.store.contract.races import outcomes
from tests.store.samples import NOW, authorization, client, code, digest, settle_in, token
from valetkey.protocol.changes import Discard, Draw, Revoke, Save, Withdraw
from valetkey.protocol.model import NOBODY, Client, Consent, Registration
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.store import Conflict, Store


def registration_token(name: str = "initial", end: int = NOW + 60, uses: int = 2) -> RegistrationToken:
    return RegistrationToken(digest(name), name[-4:], NOW, end, uses)


def self_made(key: str, end: int = NOW) -> Client:
    return replace(client(key, NOBODY), lapses_at=end)


class RegistrationsContract:
    async def test_what_a_client_registered_comes_back(self, store: Store) -> None:
        said = Registration(
            grant_types=("authorization_code",),
            token_endpoint_auth_method="private_key_jwt",
            logo_uri="https://app.test/logo.png",
            registration_token=bytes(range(32)),
            fresh_until=NOW,
        )
        await store.apply((Save(replace(self_made("app"), registered=said)),))
        assert await store.client("app") == replace(self_made("app"), registered=said)

    async def test_nobodys_clients_are_counted(self, store: Store) -> None:
        assert await store.self_made() == (0, 0)
        names = ("a", "b", "https://c.test/app", "http://d.test/")
        await store.apply((Save(client("owned")), *(Save(self_made(name)) for name in names)))
        assert await store.self_made() == (3, 1)

    async def test_a_client_goes_when_nobody_allows_it_anything(self, store: Store) -> None:
        """At its time, and not while there is a consent or an authorization; a disabled one never comes back."""
        await settle_in(store)
        names = ("idle", "young", "consented", "authorized", "off")
        roots = [authorization(1, app="authorized"), authorization(2, app="consented")]
        for name in names:
            await store.apply((Save(self_made(name, NOW + 1 if name == "young" else NOW)),))
        await store.apply((Save(replace(self_made("off"), version=2, disabled_at=NOW)),))
        await store.apply(
            (Save(roots[0]), Save(token("t", roots[0])), Save(Consent(1, "consented", (), NOW)))
        )
        assert await store.clean(NOW, 1000) == 1
        assert [name for name in names if await store.client(name) is None] == ["idle"]
        await store.apply((Save(roots[1]), Save(code("c", roots[1], NOW + 9)), Revoke(1, NOW)))
        await store.apply((Withdraw(1, "consented", NOW),))
        for _ in range(3):  # those in use were put off for a day
            await store.clean(NOW + 9 + 86400, 1000)
        assert [name for name in names if await store.client(name) is not None] == ["off"]
        assert await store.client("app") == client()

    async def test_clients_in_use_keep_nobody_from_going(self, store: Store) -> None:
        """However many they are, few are read at a time, and those behind them have their turn."""
        used = [self_made(f"used{key}", NOW - 9) for key in range(25)]
        said = [Consent(1, each.id, (), NOW) for each in used]
        await store.apply((*map(Save, used), *map(Save, said), Save(self_made("idle"))))
        rounds = [await store.clean(NOW, 10) for _ in range(4)]
        assert sum(rounds) == 1 and await store.client("idle") is None
        assert None not in [await store.client(each.id) for each in used]

    async def test_a_client_that_is_wanted_again_has_its_id_free(self, store: Store) -> None:
        await store.apply((Save(self_made("https://c.test/app")),))
        assert await store.clean(NOW, 1000) == 1
        await store.apply((Save(self_made("https://c.test/app", NOW + 5)),))
        assert await store.client("https://c.test/app") == self_made("https://c.test/app", NOW + 5)

    async def test_registration_tokens(self, store: Store) -> None:
        first, second = registration_token("first"), registration_token("second", NOW + 9, 1)
        assert await store.registration_tokens() == []
        await store.apply((Save(first), Save(second)))
        found = sorted((first, second), key=lambda each: each.digest)
        assert await store.registration_tokens() == found
        assert await store.registration_token(digest("first")) == first
        assert await store.registration_token(digest("unknown")) is None
        with pytest.raises(Conflict):
            await store.apply((Save(first),))
        await store.apply((Discard(first.digest), Discard(digest("unknown"))))
        assert await store.registration_tokens() == [second]
        with pytest.raises(Conflict):
            await store.apply((Draw(first.digest, NOW), Save(self_made("app"))))
        assert await store.client("app") is None
        assert await store.clean(NOW + 8, 1000) == 0
        assert await store.clean(NOW + 9, 1000) == 1
        assert await store.registration_tokens() == []

    async def test_a_registration_token_is_good_until_its_end(self, store: Store) -> None:
        await store.apply((Save(registration_token()),))
        with pytest.raises(Conflict):
            await store.apply((Draw(digest("initial"), NOW + 60),))
        await store.apply((Draw(digest("initial"), NOW + 59),))
        assert await store.registration_token(digest("initial")) == registration_token(uses=1)

    async def test_a_registration_token_is_good_for_its_uses(self, store: Store, other: Store) -> None:
        await store.apply((Save(registration_token(uses=3)),))
        ends = await outcomes(
            (store, other)[turn % 2].apply((Draw(digest("initial"), NOW), Save(self_made(f"app{turn}"))))
            for turn in range(20)
        )
        assert sorted(ends) == ["Conflict"] * 17 + ["done"] * 3
        found = await asyncio.gather(*(store.client(f"app{turn}") for turn in range(20)))
        assert [each is not None for each in found] == [end == "done" for end in ends]
