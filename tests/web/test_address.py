"""Addresses as limits count them (J13)."""

import pytest

from valetkey.web.address import neighbourhood, within

OURS = ("10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.1")


@pytest.mark.parametrize(
    ("text", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not an address", None),
        ("192.0.2.7, 10.0.0.1", None),
        ("0x7f.1", None),
        ("", None),
    ],
)
def test_what_one_party_is_told_by(text: str, counted_as: str | None) -> None:
    assert neighbourhood(text) == counted_as


@pytest.mark.parametrize("text", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8:ffff::1", "192.0.2.1"])
def test_our_own_proxies(text: str) -> None:
    assert within(text, OURS)


@pytest.mark.parametrize("text", ["11.0.0.1", "2001:db8:fffe::1", "192.0.2.2", "unknown", "", "unix:"])
def test_J13_nobody_else_is_one(text: str) -> None:
    assert not within(text, OURS)
    assert not within(text, ())
