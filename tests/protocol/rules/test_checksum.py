"""A mistyped token of today's form is known at sight; any other text is none of its business."""

import os

import pytest

from valetkey.protocol.rules.checksum import BASE62, checksummed, misspelt
from valetkey.server.mint import Mint

MINT = Mint(os.urandom)


@pytest.mark.parametrize(
    "make", [lambda: MINT.access_token("prefixed", "x", 9), lambda: MINT.refresh_token(9)]
)
def test_one_wrong_character_is_enough(make):
    token = make()
    assert not misspelt(token)
    for place in range(6, len(token)):
        other = "A" if token[place] != "A" else "B"
        assert misspelt(token[:place] + other + token[place + 1 :])
    for wrong in (token[:-1], token + "0", token[:6], token[:-6], token + " "):
        assert misspelt(wrong)


@pytest.mark.parametrize(
    "text", ["", "abcdef1.0123456789abcdef0123456789abcdef", "a.b.c", "vk_ac_x", "VK_AT_x"]
)
def test_what_is_of_another_form_is_looked_up(text: str):
    assert not misspelt(text)


def test_the_tail_is_base62():
    assert set(checksummed("x")[1:]) <= set(BASE62) and len(checksummed("x")) == 7
