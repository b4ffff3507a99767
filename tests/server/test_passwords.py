"""Passwords: argon2id, the same work for nobody, a bounded pool, and which ones may be chosen."""

import asyncio
import threading

import pytest

from valetkey.server.passwords import HashQueueFull, Passwords, why_not


@pytest.fixture
def passwords():
    made = Passwords(threads=1, queue=1)
    yield made
    made.close()


async def test_a_hash_is_argon2id_and_knows_its_password(passwords: Passwords):
    encoded = await passwords.hash("correct horse battery")
    assert encoded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(encoded, "correct horse battery")
    assert not await passwords.verify(encoded, "correct horse battery ")
    assert not await passwords.verify("not a hash", "correct horse battery")


async def test_every_byte_counts_however_long(passwords: Passwords):
    encoded = await passwords.hash("x" * 900 + "a")
    assert not await passwords.verify(encoded, "x" * 900 + "b")


async def test_one_password_in_two_spellings_is_one(passwords: Passwords):
    assert await passwords.verify(await passwords.hash("Ame\u0301lie und die Tür"), "Am\u00e9lie und die Tür")


async def test_I5_nobody_costs_one_hash_too(passwords: Passwords, monkeypatch: pytest.MonkeyPatch):
    work: list[str] = []
    verify = passwords.hasher.verify

    class Counting:
        hash = passwords.hasher.hash

        def verify(self, encoded: str, password: str) -> bool:
            work.append(encoded)
            return verify(encoded, password)

    monkeypatch.setattr(passwords, "hasher", Counting())
    assert not await passwords.verify(None, "nobody has this password")
    assert len(work) == 1 and work[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_I7_more_than_the_queue_holds_is_refused(passwords: Passwords):
    gate = threading.Event()
    first, second = (asyncio.create_task(passwords.in_pool(gate.wait)) for _ in range(2))
    await asyncio.sleep(0)
    with pytest.raises(HashQueueFull):
        await passwords.verify(None, "x")
    gate.set()
    assert await first and await second
    assert not await passwords.verify(None, "x")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("too short", "shorter than 15"),
        ("aaaaaaaaaaaaaaaaaaaa", "repeats"),
        ("password password password", "repeats"),
        ("snoopdogg-snoopdogg", "too close"),
        ("Valetkey2026!!!!", "too close"),
        ("x1" * 600, "longer than 1,000 bytes"),
    ],
)
def test_passwords_that_may_not_be_chosen(password: str, words: str):
    assert words in (why_not(password, 15, ("snoopdogg", "valetkey")) or "")


@pytest.mark.parametrize("password", ["password", "123456789", "football1", "letmein"])
def test_I8_common_passwords_are_refused_where_short_ones_may_be(password: str):
    assert why_not(password, 6, ()) in ("is among the passwords that attackers try first",)


def test_good_passwords_are_fine():
    for password in ("correct horse battery", "пароль от дома номер 7", "x" * 3 + "yzabcdefghijk!"):
        assert why_not(password, 15, ("snoopdogg", "valetkey")) is None
