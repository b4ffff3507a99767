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


def makers_of_a_second():
    """One for each of some instants of a second, the first and the last among them; chance runs against time."""
    instants = (0, 20_000, 500_000_000, 999_999_999)  # ids tell 15,259 nanoseconds apart, selectors 3,815
    return [
        Mint(lambda size, low=low: bytes([0xF0 - 0x50 * low]) * size, lambda at=at: 7 * mint.SECOND + at)
        for low, at in enumerate(instants)
    ]


def test_R8_everything_secret_has_128_bits_or_more():
    maker, asked = counting()
    for form in ("classic", "prefixed"):
        maker.code(form, NOW)
        maker.access_token(form, "0123456789abcdef", NOW)
    maker.text()
    maker.client_secret()
    assert asked == [16, 16, 32, 32, 32, 32]


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
    times = (mint.START_OF_2026, NOW, NOW + 1, mint.START_OF_2026 + 2**30 - 1)
    kept = [
        digest(maker.access_token("prefixed", "x", now)) for now in times for maker in makers_of_a_second()
    ]
    assert kept == sorted(kept)
    assert len({key[:6] for key in kept}) == len(kept)
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
    highest = makers_of_a_second()[-1]
    assert 1_000_000 <= highest.account_id() < 2**40
    ids = [maker.authorization_id(NOW + second) for second in (0, 1) for maker in makers_of_a_second()]
    assert ids == sorted(set(ids))
    assert 0 < highest.authorization_id(mint.START_OF_2026 + 2**30 - 1) < 2**63


def test_ids_of_one_instant_are_told_apart_by_chance():
    low, high = Mint(bytes, lambda: NOW), Mint(lambda size: b"\xff" * size, lambda: NOW)
    assert high.authorization_id(NOW) - low.authorization_id(NOW) == 2**17 - 1


def test_R8_of_a_secret_only_digests_are_kept():
    record = kept("vk_cs_secret", 5)
    assert record.digest == digest("vk_cs_secret")
    assert record.signing_key == signed_request.signing_key("vk_cs_secret")
    assert (record.hint, record.created_at, record.expires_at) == ("cret", 5, None)
    assert b"vk_cs_secret" not in record.digest + record.signing_key
