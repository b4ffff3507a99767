"""The server's keys: one for all workers, shown before they sign, followed in time, sealed, and never guessed at."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.house import VirtualClock
from tests.reading import header_of, read
from valetkey.protocol.changes import Save
from valetkey.protocol.resource import Resource
from valetkey.protocol.rules.rotation import SECRET
from valetkey.protocol.sealed_key import SealedKey
from valetkey.server import key_pairs, key_ring, master
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.server.keys import MEMORY, Keys
from valetkey.server.master import Master
from valetkey.server.mint import Mint
from valetkey.server.problems import MasterKeyError, NotFound, Problems, Unavailable
from valetkey.settings import KeySettings, Settings
from valetkey.store import open_store

DAY = 86400
MASTER = master.read(Mint(os.urandom).master_key(), "a test")


class Replicas:
    """Servers over one database, with one clock."""

    def __init__(self, url: str) -> None:
        self.url, self.clock = url, VirtualClock()
        self.shared = open_store(url) if url.startswith("memory") else None
        self.made: list[AuthorizationServer] = []

    async def __call__(self, *algorithms: str, given: Master | None = MASTER, **said: Any) -> Keys:
        server = self.assembled(*algorithms, given=given, **said)
        await server.open()
        return server.keys

    def assembled(self, *algorithms: str, given: Master | None = MASTER, **said: Any) -> AuthorizationServer:
        settings = Settings(database=self.url, keys=KeySettings(algorithms or ("ES256",), **said))
        server = assemble(settings, self.shared or open_store(self.url), self.clock, os.urandom, given)
        self.made.append(server)
        return server


EVERYWHERE = pytest.mark.parametrize("replica", ["memory", "sqlite", "postgres"], indirect=True)


@pytest.fixture(params=["memory", "sqlite"])
async def replica(request: pytest.FixtureRequest) -> AsyncIterator[Replicas]:
    match request.param:
        case "memory":
            url = "memory://"
        case "sqlite":
            url = f"sqlite:///{request.getfixturevalue('fresh_sqlite')}"
        case _:
            url = request.getfixturevalue("fresh_postgres")
    replicas = Replicas(url)
    yield replicas
    for server in replicas.made:
        await server.close()


@pytest.fixture
async def on_sqlite(fresh_sqlite: Path) -> AsyncIterator[Replicas]:
    replicas = Replicas(f"sqlite:///{fresh_sqlite}")
    yield replicas
    for server in replicas.made:
        await server.close()


def shown(keys: Keys) -> dict[str, Any]:
    """The published keys by their kid."""
    return {jwk["kid"]: jwk for jwk in json.loads(keys.jwks().body)["keys"]}


def signed_by(keys: Keys, *algorithms: str) -> str:
    """The kid that signs now; the signature is checked with what `keys` publishes."""
    header, claims = read(keys.sign("test+jwt", {"a": 1}, algorithms), shown(keys).values())
    assert header["typ"] == "test+jwt" and claims == {"a": 1}
    return str(header["kid"])


@EVERYWHERE
async def test_workers_that_start_at_once_have_one_key(replica: Replicas) -> None:
    await replica.assembled().store.open()  # the schema
    workers = await asyncio.gather(*(replica() for _ in range(6)))
    for keys in workers:
        await keys.tend()
    assert len({tuple(shown(keys)) for keys in workers}) == 1
    assert len(shown(workers[0])) == 1
    assert len({keys.derive(b"nonces") for keys in workers}) == 1
    assert len({signed_by(keys) for keys in workers}) == 1


async def test_a_key_is_shown_before_it_signs_and_until_all_it_signed_has_expired(replica: Replicas) -> None:
    one, other = await replica(), await replica()
    first = signed_by(one)
    replica.clock.forward(89 * DAY - 1)
    await one.tend("one")
    assert list(shown(one)) == [first]
    replica.clock.forward(1)
    await one.tend("one")
    await other.tend("other")
    (second,) = set(shown(one)) - {first}
    assert set(shown(other)) == {first, second}
    assert signed_by(one) == signed_by(other) == first
    replica.clock.forward(DAY)
    assert signed_by(one) == signed_by(other) == second  # by the clock alone, on every worker
    assert set(shown(one)) == {first, second}
    replica.clock.forward(one.schedule.after - 1)
    assert set(shown(other)) == {first, second}
    replica.clock.forward(1)
    assert set(shown(other)) == {second}
    await one.store.clean(replica.clock(), 100)
    await one.tend("one")
    assert {key.id for key in one.kept if key.alg != SECRET} == {second}


@pytest.mark.parametrize("replica", ["memory"], indirect=True)
async def test_the_years_go_by(replica: Replicas) -> None:
    keys = await replica()
    signers = []
    for _ in range(4 * 365):
        replica.clock.forward(DAY)
        await keys.tend("me")
        await keys.store.clean(replica.clock(), 100)
        signers.append(signed_by(keys))
        assert len(shown(keys)) <= 3
    assert len(set(signers)) == 17  # every ninety days another
    assert signers == sorted(signers, key=signers.index)  # and none comes back


@EVERYWHERE
async def test_one_worker_makes_what_is_due(replica: Replicas) -> None:
    workers = [await replica() for _ in range(4)]
    replica.clock.forward(89 * DAY)
    await asyncio.gather(*(keys.tend(f"worker {n}") for n, keys in enumerate(workers)))
    for keys in workers:
        await keys.tend("late")
        assert len(shown(keys)) == 2


async def test_several_algorithms_live_side_by_side(replica: Replicas) -> None:
    keys = await replica("EdDSA", "RS256", "PS256", "ES256")
    assert [jwk["alg"] for jwk in shown(keys).values()].count("RS256") == 1
    by = {alg: signed_by(keys, alg) for alg in ("EdDSA", "RS256", "PS256", "ES256")}
    assert len(set(by.values())) == 4
    assert signed_by(keys) == by["EdDSA"]
    assert signed_by(keys, "none", "RS256") == by["RS256"]
    with pytest.raises(Unavailable):
        keys.sign("x", {}, ("none",))


async def test_another_algorithm_is_shown_before_it_is_used(replica: Replicas) -> None:
    first = signed_by(await replica())
    keys = await replica("EdDSA", "ES256")
    assert len(shown(keys)) == 2 and signed_by(keys) == first
    old = await replica()  # a replica that has the settings of before undoes nothing
    await old.tend("old")
    replica.clock.forward(DAY)
    await keys.tend("new")
    assert len(shown(keys)) == 2 and signed_by(keys) != first
    replica.clock.forward(90 * DAY)
    await (await replica("EdDSA")).tend("new")
    assert (first in shown(keys)) is True  # keys reads it anew below
    await keys.tend("new")
    assert [key.retires_at is None for key in keys.kept if key.id == first] == [False]


async def test_what_is_derived_is_the_same_everywhere_and_for_one_purpose(replica: Replicas) -> None:
    one, other = await replica(), await replica()
    assert one.derive(b"a") == other.derive(b"a") != one.derive(b"b")
    assert len(one.derive(b"a")) == 32
    await other.tend("x")
    assert one.derive(b"a") == other.derive(b"a")


async def test_nothing_lies_open(replica: Replicas) -> None:
    keys = await replica("ES256", "RS256")
    for kept in await keys.store.keys():
        plain = MASTER.opened(kept.sealed, f"{kept.id} {kept.alg} {kept.public}")
        assert plain is not None and plain not in kept.sealed
        assert kept.sealed[:1] == b"\1"


async def test_a_public_half_that_was_changed_in_the_database_is_not_shown(replica: Replicas) -> None:
    keys = await replica()
    (pair,) = [key for key in await keys.store.keys() if key.alg != SECRET]
    forged = replace(pair, public=pair.public.replace('"x":"', '"x":"A'), version=2)
    kid, public, private = key_pairs.make("ES256")
    stranger = SealedKey(kid, "ES256", public, b"\0" + private, 0, 0, "x")
    await keys.store.apply((Save(forged), Save(stranger)))
    await keys.tend()
    assert pair.id not in shown(keys) and kid not in shown(keys)
    with pytest.raises(MasterKeyError, match="another master key"):
        await replica()


async def test_another_master_key_is_told_at_the_start(replica: Replicas) -> None:
    await replica()
    wrong = master.read(Mint(os.urandom).master_key(), "the file")
    with pytest.raises(MasterKeyError, match=r"sealed under another master key than that of the file$"):
        await replica(given=wrong)


# --- without a master key ---------------------------------------------------------------------------------------------


async def test_on_postgresql_without_a_master_key_nothing_is_signed(fresh_postgres: str) -> None:
    replica = Replicas(fresh_postgres)
    keys = await replica(given=None)
    assert not keys.can_sign and shown(keys) == {}
    with pytest.raises(Unavailable):
        keys.sign("x", {})
    lay_open = keys.derive(b"nonces")
    assert (await replica(given=None)).derive(b"nonces") == lay_open
    for refused in (
        key_ring.rotate(keys, "ES256", at_once=True),
        key_ring.retire(keys, "x", leaked=False),
        key_ring.rewrap(keys),
    ):
        with pytest.raises(NotFound, match=r"no master key is given; type `valetkey keys master > FILE`"):
            await refused
    sealed = await replica()
    assert sealed.derive(b"nonces") != lay_open  # what lay open is not trusted any more
    await keys.tend()
    with pytest.raises(MasterKeyError, match="under a master key, and none is given"):
        await replica(given=None)
    for server in replica.made:
        await server.close()


async def test_on_postgresql_whoever_promises_jwts_needs_a_master_key(fresh_postgres: str) -> None:
    jwts = (Resource("https://photos.example/", token_format="jwt"),)
    server = assemble(Settings(database=fresh_postgres, resources=jwts))
    with pytest.raises(
        MasterKeyError, match=r"no master key is given.*JWTs; type `valetkey keys master > FILE`"
    ):
        await server.open()
    await server.close()


async def test_beside_an_sqlite_database_one_is_made(on_sqlite: Replicas, fresh_sqlite: Path) -> None:
    one, other = await on_sqlite(given=None), await on_sqlite(given=None)
    file = Path(f"{fresh_sqlite}.master")
    assert one.master is not None and one.master.source == str(file)
    assert signed_by(one) == signed_by(other)
    os.rename(file, f"{file}.elsewhere")
    with pytest.raises(MasterKeyError, match=r"\.master, where it was made, is gone; put it back"):
        await on_sqlite(given=None)
    os.rename(f"{file}.elsewhere", file)
    await on_sqlite(given=None)


async def test_in_memory_the_process_is_the_safe() -> None:
    keys = await Replicas("memory://")(given=None)
    assert keys.master is MEMORY and signed_by(keys)


async def test_an_algorithm_nobody_knows_is_told(on_sqlite: Replicas) -> None:
    with pytest.raises(MasterKeyError, match="HS256 is no algorithm of ours; there are ES256, RS256"):
        await on_sqlite("ES256", "HS256")


async def test_a_database_that_cannot_be_written_is_no_reason_not_to_start(
    on_sqlite: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = on_sqlite.assembled()
    await server.store.open()

    async def full(changes: object) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(server.store, "apply", full)
        await server.keys.open()
        assert shown(server.keys) == {}
        for asked in (lambda: server.keys.sign("x", {}), lambda: server.keys.derive(b"x")):
            with pytest.raises(Unavailable):
                asked()
    await server.keys.tend("me")
    assert signed_by(server.keys) and server.keys.derive(b"x")


# --- by hand ----------------------------------------------------------------------------------------------------------


async def test_rotating_by_hand(replica: Replicas) -> None:
    keys = await replica()
    first = signed_by(keys)
    second = await key_ring.rotate(keys, "ES256", at_once=False)
    assert second.active_from == replica.clock() + DAY and signed_by(keys) == first
    with pytest.raises(Problems, match=f"have a successor already, {second.id}"):
        await key_ring.rotate(keys, "ES256", at_once=False)
    await key_ring.rotate(keys, "ES256", at_once=True)
    with pytest.raises(Problems, match=f"have a successor already, {second.id}"):
        await key_ring.rotate(keys, "ES256", at_once=True)
    assert signed_by(keys) == first  # until all workers have seen the other
    replica.clock.forward(key_ring.SEEN)
    assert signed_by(keys) == second.id and set(shown(keys)) == {first, second.id}
    third = await key_ring.rotate(keys, "ES256", at_once=True)
    replica.clock.forward(key_ring.SEEN)
    assert signed_by(keys) == third.id
    replica.clock.forward(keys.schedule.after)
    assert set(shown(keys)) == {third.id}
    with pytest.raises(Problems, match=r"sign with ES256 \(keys.algorithms\), not with RS256"):
        await key_ring.rotate(keys, "RS256", at_once=True)


@pytest.mark.parametrize("waiting", [False, True])
async def test_retiring_the_one_that_signs(replica: Replicas, waiting: bool) -> None:
    keys, other = await replica(), await replica()
    first = signed_by(keys)
    successor = (await key_ring.rotate(keys, "ES256", at_once=False)).id if waiting else None
    await key_ring.retire(keys, first, leaked=False)
    assert signed_by(keys) == first and len(shown(keys)) == 2
    await other.tend()
    replica.clock.forward(key_ring.SEEN)
    second = signed_by(keys)
    assert second == signed_by(other) != first and successor in (None, second)
    assert set(shown(keys)) == {first, second}
    replica.clock.forward(keys.schedule.after)
    assert set(shown(keys)) == {second}


@pytest.mark.parametrize("waiting", [False, True])
async def test_one_that_leaked_is_good_for_nothing_at_once(replica: Replicas, waiting: bool) -> None:
    keys, other = await replica(), await replica()
    first = signed_by(keys)
    if waiting:
        await key_ring.rotate(keys, "ES256", at_once=False)
    await key_ring.retire(keys, first, leaked=True)
    second = signed_by(keys)
    assert second != first and set(shown(keys)) == {second}
    await other.tend()
    assert signed_by(other) == second and set(shown(other)) == {second}
    with pytest.raises(NotFound, match="key: nobody is not there"):
        await key_ring.retire(keys, "nobody", leaked=True)


async def test_retiring_one_that_waits_changes_nothing_for_the_one_that_signs(replica: Replicas) -> None:
    keys = await replica()
    first = signed_by(keys)
    waits = await key_ring.rotate(keys, "ES256", at_once=False)
    await key_ring.retire(keys, waits.id, leaked=True)
    assert signed_by(keys) == first
    replica.clock.forward(DAY)
    assert signed_by(keys) not in (first, waits.id)


class Reader:
    """A server that takes JWTs: it keeps our keys for five minutes, and asks any worker anew for a kid it lacks."""

    def __init__(self, workers: list[Keys], chance: random.Random) -> None:
        self.workers, self.chance = workers, chance
        self.known, self.until = dict[str, Any](), 0

    def accepts(self, token: str, now: int) -> bool:
        kid = header_of(token)["kid"]
        if now >= self.until or kid not in self.known:
            self.known, self.until = shown(self.chance.choice(self.workers)), now + 300
        if kid not in self.known:
            return False
        read(token, self.known.values())
        return True


@pytest.mark.torture
async def test_whatever_an_operator_does_no_reader_refuses_a_living_token(
    on_sqlite: Replicas, long_torture: bool
) -> None:
    """Three workers that look every half a minute, each at its own time, and two readers with copies of their own."""
    chance, clock = random.Random(), on_sqlite.clock
    workers = [await on_sqlite(lead=1200, lifetime=7200) for _ in range(3)]
    readers = [Reader(workers, chance) for _ in range(2)]
    operator = await on_sqlite(lead=1200, lifetime=7200)
    living: list[tuple[str, int]] = []
    signers = set[str]()
    for second in range(0, (240 if long_torture else 10) * 3600, 10):
        clock.forward(10)
        for n, worker in enumerate(workers):
            if second % 30 == 10 * n:
                await worker.tend(f"worker {n}")
        if chance.random() < 0.002:
            await operator.tend()
            with suppress(Problems, NotFound):
                if chance.random() < 0.5:
                    await key_ring.rotate(operator, "ES256", at_once=chance.random() < 0.7)
                else:
                    await key_ring.retire(operator, signed_by(operator), leaked=False)
        token = chance.choice(workers).sign("at+jwt", {})
        signers.add(header_of(token)["kid"])
        living = [(each, end) for each, end in living[-400:] if end > clock()]
        living.append((token, clock() + 3600))
        for each in (token, chance.choice(living)[0]):
            assert chance.choice(readers).accepts(each, clock())
    assert len(signers) > 5


async def test_retiring_one_of_an_algorithm_that_is_wanted_no_more(replica: Replicas) -> None:
    await replica("ES256", "EdDSA")
    keys = await replica("ES256")
    old = signed_by(keys, "EdDSA")
    await key_ring.retire(keys, old, leaked=True)
    assert [jwk["alg"] for jwk in shown(keys).values()] == ["ES256"]


@EVERYWHERE
async def test_another_master_key_in_three_steps(replica: Replicas) -> None:
    word, new = Mint(os.urandom).master_key(), Mint(os.urandom).master_key()
    before = await replica(given=master.read(word, ""))
    first, secret = signed_by(before), before.derive(b"x")
    both = await replica(given=master.read(f"{new}\n{word}", ""))
    assert await key_ring.rewrap(both) == 2
    assert await key_ring.rewrap(both) == 0
    await before.tend()  # still at work, until it is restarted
    assert signed_by(before) == first and before.derive(b"x") == secret
    after = await replica(given=master.read(new, ""))
    assert signed_by(after) == first and after.derive(b"x") == secret
    with pytest.raises(MasterKeyError):
        await replica(given=master.read(word, ""))
