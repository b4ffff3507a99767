"""The mint: forms of strings, enough randomness, nothing predictable."""

import re
import zlib

from valetkey.protocol.rules import signed_request
from valetkey.protocol.rules.checksum import BASE62, checksummed
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.rules.user_code import LETTERS, read
from valetkey.server import mint
from valetkey.server.mint import Mint, kept

NOW = 1_800_000_000


def counting():
    asked: list[int] = []

    def entropy(size: int) -> bytes:
        asked.append(size)
        return bytes((len(asked) * 37 + i * 11) % 256 for i in range(size))

    return Mint(entropy), asked


def test_R8_everything_secret_has_128_bits_or_more():
    maker, asked = counting()
    for form in ("classic", "prefixed"):
        maker.code(form, NOW)
        maker.access_token(form, "0123456789abcdef", NOW)
    maker.text()
    maker.client_secret()
    assert asked == [16, 16, 35, 35, 32, 32]  # today's form: 32 bytes, and 3 of a selector


def test_the_codes_of_a_device():
    maker, _ = counting()
    assert re.fullmatch(r"vk_dc_[0-9a-f]{12}[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}", maker.device_code(NOW))
    shown = {maker.user_code() for _ in range(100)}
    assert all(read(code) == code for code in shown)
    assert len(shown) > 90 and {letter for code in shown for letter in code} == set(LETTERS)


def test_the_classic_forms():
    maker, _ = counting()
    assert re.fullmatch("[0-9a-f]{32}", maker.code("classic", NOW))
    client_id = maker.client_id()
    assert re.fullmatch("[0-9a-f]{32}", client_id)
    token = maker.access_token("classic", client_id, NOW)
    assert re.fullmatch(client_id[:7] + r"\.[0-9a-f]{32}", token)


def test_todays_forms_are_told_apart_and_checked_at_sight():
    maker, _ = counting()
    for value, prefix in (
        (maker.code("prefixed", NOW), "vk_ac_"),
        (maker.access_token("prefixed", "x", NOW), "vk_at_"),
    ):
        assert re.fullmatch(prefix + r"[0-9a-f]{12}[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}", value)
        assert checksummed(value[:-6]) == value


def test_todays_forms_are_kept_in_the_order_of_their_making():
    low, high = Mint(bytes), Mint(lambda size: b"\xff" * size)
    times = (mint.START_OF_2026, NOW, NOW + 1, mint.START_OF_2026 + 2**30 - 1)
    kept = [digest(maker.access_token("prefixed", "x", now)) for now in times for maker in (low, high)]
    assert kept == sorted(kept)
    assert {len(key) for key in kept} == {38}


def test_a_client_id_is_never_all_digits():
    given = iter([bytes([0x12] * 16), bytes([0x12] * 4 + [0xAB] * 12), bytes([0xA1] * 16)])
    assert Mint(lambda size: next(given)).client_id() == "a1" * 16


def test_a_checksum_tells_a_typo_at_sight():
    text = checksummed("vk_cs_example")
    body, tail = text[:-6], text[-6:]
    number = 0
    for letter in tail:
        number = number * 62 + BASE62.index(letter)
    assert (body, number) == ("vk_cs_example", zlib.crc32(b"vk_cs_example"))


def test_ids_fit_where_they_go_and_grow_with_time():
    highest = Mint(lambda size: b"\xff" * size)
    assert 1_000_000 <= highest.account_id() < 2**40
    now = mint.START_OF_2026 + 1000
    assert Mint(lambda size: bytes(size)).authorization_id(now + 1) > highest.authorization_id(now)
    assert 0 < highest.authorization_id(2**31 + 2**29) < 2**63


def test_R8_of_a_secret_only_digests_are_kept():
    record = kept("vk_cs_secret", 5)
    assert record.digest == digest("vk_cs_secret")
    assert record.signing_key == signed_request.signing_key("vk_cs_secret")
    assert (record.hint, record.created_at, record.expires_at) == ("cret", 5, None)
    assert b"vk_cs_secret" not in record.digest + record.signing_key
