"""Contract: refresh tokens, pushed requests, devices, one-time keys; what clients and tokens are bound to."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.store.contract.races import outcomes
from tests.store.samples import (
    NOW,
    account,
    authorization,
    client,
    code,
    device,
    digest,
    notice,
    pushed,
    refresh,
    settle_in,
    successor,
    token,
)
from valetkey.protocol.changes import (
    AnswerDevice,
    Changes,
    Extend,
    Once,
    Poll,
    Remove,
    Revoke,
    Save,
    Spend,
    Withdraw,
)
from valetkey.protocol.facts import BearerFacts, ExchangeFacts
from valetkey.protocol.model import (
    NOBODY,
    AccessToken,
    AuthorizationCode,
    Consent,
    DeviceRequest,
    PushedRequest,
    RefreshToken,
    Registration,
    Terms,
)
from valetkey.store import Conflict, Store

BOUND = Terms(
    scope=("basic",),
    resource=("https://api.test/",),
    details='[{"type":"a"}]',
    jkt="jkt",
    x5t="x5t",
    actor='{"sub":"app"}',
    client="app",
    auth_time=NOW,
    acr="2",
)


def rotation(name: str, to: str) -> Changes:
    spend = Spend(RefreshToken, digest(name), NOW)
    return spend, Save(token(f"t{to}")), Save(refresh(to)), Save(successor(name, to, terms=BOUND))


class GrantsContract:
    async def test_what_a_client_registered_comes_back(self, store: Store) -> None:
        said = Registration(
            grant_types=("client_credentials",),
            token_endpoint_auth_method="client_secret_post",
            scope=("basic", "photos"),
        )
        await store.apply((Save(account()), Save(client(registered=said))))
        assert await store.client("app") == client(registered=said)

    async def test_terms_come_back_and_nothing_stays_nothing(self, store: Store) -> None:
        await settle_in(store)
        root = authorization(1, terms=BOUND)
        bound = replace(token("bound", root), terms=BOUND)
        await store.apply((Save(root), Save(bound), Save(token("free", root))))
        assert await store.bearer_facts(digest("bound")) == BearerFacts(bound, account(), client())
        assert await store.bearer_facts(digest("free")) == BearerFacts(
            token("free", root), account(), client()
        )

    async def test_a_token_of_nobody_has_no_account_and_one_of_somebody_gone_is_not_there(
        self, store: Store
    ) -> None:
        await settle_in(store)
        own, gone = authorization(1, NOBODY), authorization(2, 999)
        await store.apply((Save(own), Save(gone), Save(token("own", own)), Save(token("gone", gone))))
        assert await store.bearer_facts(digest("own")) == BearerFacts(token("own", own), None, client())
        assert await store.bearer_facts(digest("gone")) is None

    async def test_all_that_a_refresh_needs_comes_at_once(self, store: Store) -> None:
        await settle_in(store)
        first, second = refresh("first", terms=BOUND), refresh("second")
        sealed = successor("first", "second", terms=BOUND)
        await store.apply((Save(authorization()), Save(first)))
        assert await store.refresh_facts("app", first.digest) == ExchangeFacts(
            client(), None, account(), first
        )
        assert await store.refresh_facts("app", digest("other")) == ExchangeFacts(client())
        assert await store.refresh_facts("unknown", digest("other")) == ExchangeFacts()
        await store.apply((Spend(RefreshToken, first.digest, NOW), Save(second), Save(sealed)))
        spent = ExchangeFacts(client(), None, account(), replace(first, spent_at=NOW), sealed)
        assert await store.refresh_facts("app", first.digest) == spent
        await store.apply((Spend(RefreshToken, second.digest, NOW + 1),))
        used = replace(spent, successor=replace(sealed, used_at=NOW + 1))
        assert await store.refresh_facts("app", first.digest) == used
        with pytest.raises(Conflict):
            await store.apply((Spend(RefreshToken, first.digest, NOW), Save(refresh("third"))))
        assert (await store.refresh_facts("app", digest("third"))).refresh is None

    async def test_a_refresh_token_comes_with_the_first_token(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(authorization()), Save(code())))
        spend, kept = Spend(AuthorizationCode, digest("code"), NOW), replace(token(), terms=BOUND)
        await store.apply((spend, Save(kept), Save(refresh(terms=BOUND))))
        assert (await store.refresh_facts("app", digest("refresh"))).refresh == refresh(terms=BOUND)
        assert await store.bearer_facts(digest("token")) == BearerFacts(kept, account(), client())
        with pytest.raises(Conflict):
            await store.apply((spend, Save(token("again")), Save(refresh("again"))))
        assert await store.bearer_facts(digest("again")) is None
        assert (await store.refresh_facts("app", digest("again"))).refresh is None

    async def test_many_apps_ask_for_themselves_at_once(self, store: Store) -> None:
        await settle_in(store)
        assert await store.own_facts("app") == ExchangeFacts(client())
        own = authorization(1, NOBODY)
        kept = [replace(token(f"t{n}", own, NOW + 60), terms=BOUND) for n in range(40)]
        await store.apply((Save(own), Save(kept[0])))
        await asyncio.gather(*(store.apply((Save(each),)) for each in kept[1:]))
        with pytest.raises(Conflict):
            await store.apply((Save(kept[7]),))
        for each in kept:
            assert await store.bearer_facts(each.digest) == BearerFacts(each, None, client())
        assert await store.own_facts("app") == ExchangeFacts(client(), own=own)
        assert await store.own_facts("other") == ExchangeFacts()

    async def test_an_app_has_one_authorization_for_itself_at_a_time(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(client("app2")), Save(authorization(9, NOBODY, "app2"))))
        racing = [(Save(authorization(key, NOBODY)), Save(token(f"t{key}"))) for key in range(1, 5)]
        said = await asyncio.gather(*map(store.apply, racing), return_exceptions=True)
        assert [type(each) for each in said if each] == [Conflict] * 3
        await store.apply((Withdraw(NOBODY, "app", NOW),))
        assert (await store.own_facts("app")).own is None
        await store.apply((Save(authorization(5, NOBODY)),))
        assert (await store.own_facts("app")).own == authorization(5, NOBODY)

    @pytest.mark.parametrize("record", [pushed(), device(), refresh()])
    async def test_what_is_used_once_is_used_once(
        self, store: Store, record: PushedRequest | DeviceRequest | RefreshToken
    ) -> None:
        await settle_in(store)
        await store.apply((Save(authorization()), Save(record)))
        with pytest.raises(Conflict):
            await store.apply((Save(record),))
        await store.apply((Spend(type(record), record.digest, NOW),))
        with pytest.raises(Conflict):
            await store.apply((Spend(type(record), record.digest, NOW),))
        with pytest.raises(Conflict):
            await store.apply((Spend(type(record), digest("unknown"), NOW),))

    async def test_pushed_requests_come_back(self, store: Store) -> None:
        await store.apply((Save(pushed()),))
        assert await store.pushed_request(digest("pushed")) == pushed()
        assert await store.pushed_request(digest("other")) is None

    async def test_devices_come_back(self, store: Store) -> None:
        await settle_in(store)
        root = authorization(1, terms=BOUND)
        said = device(terms=BOUND, polled_at=NOW, said="allow", authorization=root)
        await store.apply((Save(root), Save(said), Save(device("other"))))
        found = ExchangeFacts(client(), None, account(), device=said)
        assert await store.device_facts("app", digest("device")) == found
        waiting = ExchangeFacts(client(), device=device("other"))
        assert await store.device_facts("app", digest("other")) == waiting
        assert await store.device_facts("unknown", digest("other")) == ExchangeFacts(device=device("other"))
        assert await store.device_facts("app", digest("pushed")) == ExchangeFacts(client())
        assert await store.device_request_shown("DEVICE") == said
        assert await store.device_request_shown("OTHER") == device("other")
        assert await store.device_request_shown("device") is None
        with pytest.raises(Conflict):
            await store.apply((Save(device("again", user_code="DEVICE")),))

    async def test_a_device_asks_and_is_answered_once(self, store: Store, other: Store) -> None:
        await settle_in(store)
        await store.apply((Save(device()),))
        await store.apply((Poll(digest("device"), NOW, None),))
        for before in (None, NOW - 1):
            with pytest.raises(Conflict):
                await other.apply((Poll(digest("device"), NOW, before),))
        await other.apply((Poll(digest("device"), NOW + 5, NOW),))
        await store.apply((Poll(digest("device"), NOW + 6, NOW, 5),))
        await other.apply((Poll(digest("device"), NOW + 7, NOW, 5),))
        for slower in (0, 5):
            with pytest.raises(Conflict):
                await store.apply((Poll(digest("unknown"), NOW, None, slower),))
        asked = device(polled_at=NOW + 7, interval=15)
        assert (await store.device_facts("app", digest("device"))).device == asked
        root = authorization()
        await store.apply((AnswerDevice(digest("device"), "allow", root), Save(root)))
        for name in ("device", "unknown"):
            with pytest.raises(Conflict):
                await other.apply((AnswerDevice(digest(name), "deny"), Save(authorization(2))))
        allowed = replace(asked, said="allow", authorization=root)
        assert await store.device_request_shown("DEVICE") == allowed
        await store.apply((Revoke(root.id, NOW),))  # as it stands now
        revoked = replace(allowed, authorization=replace(root, revoked_at=NOW))
        assert (await other.device_facts("app", digest("device"))).device == revoked

    async def test_what_a_device_was_allowed_waits_for_it_and_goes_with_it(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(device(expires_at=NOW)), Save(device("denied", expires_at=NOW))))
        root = authorization()
        await store.apply((Save(root), AnswerDevice(digest("device"), "allow", root)))
        await store.apply((AnswerDevice(digest("denied"), "deny"), Save(token(root=root, end=NOW + 60))))
        assert await store.clean(NOW + 60, 1000) == 1  # the token
        assert (await store.device_facts("app", digest("device"))).device is not None
        with pytest.raises(Conflict):
            await store.apply((Save(root),))
        assert await store.clean(NOW + 3600, 1000) == 3
        await store.apply((Save(root),))  # its id is free again

    async def test_one_time_keys_are_remembered(self, store: Store, other: Store) -> None:
        await store.apply((Once(b"a", NOW), Once(b"b", NOW)))
        assert await other.remembered([b"a", b"c", b"b"]) == {b"a", b"b"}
        assert await other.remembered([]) == frozenset()
        with pytest.raises(Conflict):
            await other.apply((Once(b"c", NOW), Once(b"a", NOW)))
        assert await store.remembered([b"c"]) == frozenset()

    async def test_what_is_over_goes_and_an_authorization_stays_while_it_can_be_refreshed(
        self, store: Store
    ) -> None:
        await settle_in(store)
        for key, end in ((1, NOW), (2, NOW + 1)):
            root, name = authorization(key), f"r{key}"
            access: AccessToken = token(f"t{key}", root, NOW)
            await store.apply((Save(root), Save(access), Save(refresh(name, root, expires_at=end))))
        sealed = [successor(str(end), expires_at=end) for end in (NOW, NOW + 1)]
        await store.apply((*map(Save, sealed), Save(pushed("p1", NOW - 3600)), Save(pushed("p2", NOW))))
        await store.apply((Save(device("d1", expires_at=NOW - 3600)), Save(device("d2", expires_at=NOW))))
        assert await store.clean(NOW, 1000) == 2 + 1 + 1 + 1 + 1 + 1
        assert (await store.refresh_facts("app", digest("r1"))).refresh is None
        assert (await store.refresh_facts("app", digest("r2"))).refresh is not None
        assert await store.pushed_request(digest("p1")) is None
        assert await store.pushed_request(digest("p2")) is not None
        assert await store.device_request_shown("D1") is None
        assert await store.device_request_shown("D2") is not None
        await store.apply((Revoke(2, NOW - 1),))
        assert await store.clean(NOW - 1, 1000) == 2
        await store.apply((Save(authorization(2)),))  # its id is free again

    async def test_a_client_is_removed_with_its_refresh_tokens(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(authorization()), Save(refresh()), Save(notice())))
        await store.apply((Remove("app"),))
        assert (await store.refresh_facts("app", digest("refresh"))).refresh is None
        assert await store.notices("app", 9) == []

    async def test_of_fifty_that_show_one_refresh_token_one_has_the_successor(
        self, store: Store, other: Store
    ) -> None:
        """The four rows come together or not at all, also among many others in one statement."""
        await settle_in(store)
        await store.apply((Save(authorization()), Save(refresh()), Save(refresh("apart"))))
        ends = await outcomes(
            (store, other)[turn % 2].apply(rotation("apart" if turn == 30 else "refresh", str(turn)))
            for turn in range(50)
        )
        assert ends.pop(30) == "done"
        assert sorted(ends) == ["Conflict"] * 48 + ["done"]
        won = ends.index("done")
        won += won >= 30
        facts = await store.refresh_facts("app", digest("refresh"))
        assert facts.successor == successor("refresh", str(won), terms=BOUND)
        for turn in set(range(50)) - {won, 30}:
            assert (await store.refresh_facts("app", digest(str(turn)))).refresh is None
            assert await store.bearer_facts(digest(f"t{turn}")) is None
        for turn in (won, 30):
            assert (await store.refresh_facts("app", digest(str(turn)))).refresh == refresh(str(turn))
            assert await store.bearer_facts(digest(f"t{turn}")) is not None

    async def test_of_many_that_bring_one_key_one_is_written(self, store: Store, other: Store) -> None:
        """A proof or an assertion replayed beside others, in one statement: nothing is kept of who comes too late."""
        await settle_in(store)
        await store.apply((Save(authorization()), *(Save(refresh(f"r{turn}")) for turn in range(30))))
        lists: list[Changes] = []
        for turn in range(30):
            key = b"same" if turn % 3 else str(turn).encode()
            spend, gives = Spend(RefreshToken, digest(f"r{turn}"), NOW), Save(token(f"t{turn}"))
            rest = (Save(refresh(f"n{turn}")), Save(successor(f"r{turn}", f"n{turn}")))
            once = (Once(key, NOW), Once(b"second" + key, NOW))
            lists.append((*once, spend, gives, *rest) if turn % 2 else (*once, gives))
        ends = await outcomes((store, other)[turn % 2].apply(each) for turn, each in enumerate(lists))
        assert [end for turn, end in enumerate(ends) if turn % 3 == 0] == ["done"] * 10
        assert sorted(end for turn, end in enumerate(ends) if turn % 3) == ["Conflict"] * 19 + ["done"]
        for turn, end in enumerate(ends):
            facts, written = await store.refresh_facts("app", digest(f"r{turn}")), end == "done"
            assert facts.refresh is not None
            spent = (facts.refresh.spent_at is not None, facts.successor is not None)
            assert spent == (written and turn % 2 == 1,) * 2
            assert (await store.bearer_facts(digest(f"t{turn}")) is not None) == written
        assert len(await store.remembered([b"same", b"secondsame", b"3", b"second3", b"1"])) == 4

    async def test_an_end_moves_on_and_never_back(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(authorization()), Save(refresh())))
        for end, then in ((NOW + 900, NOW + 900), (NOW + 800, NOW + 900), (NOW + 901, NOW + 901)):
            await store.apply((Extend(digest("refresh"), end), Save(token(f"until {end}"))))
            facts = await store.refresh_facts("app", digest("refresh"))
            assert facts.refresh == refresh(expires_at=then)
        await store.apply((Extend(digest("unknown"), NOW),))

    async def test_a_token_that_comes_after_the_end_of_all_is_not_there(self, store: Store) -> None:
        """Its request stood still while what it had looked up was ended and cleaned away."""
        await settle_in(store)
        await store.apply((Save(token("late", authorization(9), NOW + 60)),))
        assert await store.bearer_facts(digest("late")) is None
        await store.clean(NOW + 60, 100)
        assert await store.clean(NOW + 60, 100) == 0

    async def test_people_and_developer_are_told_once_an_authorization(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(account(2)), Save(client("other"))))
        for app in ("app", "other"):
            await store.apply((Save(Consent(1, app, ("basic",), NOW)),))
        told = [notice(1, at=NOW - 5), notice(2), notice(3, owner=2, at=NOW + 7), notice(4)]
        for each in told:
            await store.apply((Revoke(each.authorization_id, each.at), Save(each)))
        await store.apply((Save(notice(2, at=NOW + 9)),))
        assert await store.notices("app", 9) == [told[2], told[3], told[1], told[0]]
        assert await store.notices("app", 2) == [told[2], told[3]]
        assert await store.notices("other", 9) == await store.notices("a\0b", 9) == []
        ended = {app.client.id: app.ended_at for app in await store.connected_apps(1)}
        assert ended == {"app": NOW, "other": None}
        assert await store.clean(NOW - 5 + 90 * 86400 - 1, 9) == 0
        assert await store.clean(NOW - 5 + 90 * 86400, 9) == 1
        assert await store.notices("app", 9) == [told[2], told[3], told[1]]
