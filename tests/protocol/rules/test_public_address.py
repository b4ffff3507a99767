"""Public or not: the registries' special blocks, and every way to write an inner address in outer clothes."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.protocol.rules.public_address import is_public

PUBLIC = "8.8.8.8 1.1.1.1 93.184.216.34 172.15.0.1 172.32.0.1 100.128.0.1 2606:4700::1111 2a00:1450::1 64:ff9b::808:808"
NOT = (
    "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1"
    " 172.31.255.255 192.0.0.8 192.0.0.170 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1"
    " 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255"
    " :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe"
    " 64:ff9b:1::808:808 100::1 2001::1 2001:0:7f00:1:: 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::"
    " 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 2606:4700::1%eth0 fec0::1 ff02::1"
)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT.split())
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "text", ["", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "8.8.8.8 ", "[::1]"]
)
def test_what_is_no_address(text: str) -> None:
    assert not is_public(text)


@given(st.integers(0, 2**32 - 1))
def test_an_inner_address_is_not_public_in_any_clothes(number: int) -> None:
    plain = IPv4Address(number)
    mapped, translated = IPv6Address((0xFFFF << 32) + number), IPv6Address((0x64FF9B << 96) + number)
    assert not is_public(str(mapped))
    assert is_public(str(translated)) == is_public(str(plain))
    if plain.is_private or plain.is_multicast or plain.is_reserved:
        assert not is_public(str(plain))
