"""What is kept of secrets (R8): the whole string decides, and nothing but the string."""

import hashlib

import pytest

from valetkey.protocol.rules.digest import digest

SECRET = "vk_at_0a1b2c3d4e5f" + "s" * 43 + "Check1"


def sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@pytest.mark.parametrize("prefix", ["vk_at_", "vk_ac_", "vk_rt_", "vk_dc_"])
def test_a_selector_stands_before_the_digest_of_the_whole(prefix: str):
    secret = prefix + SECRET[6:]
    assert digest(secret) == bytes.fromhex("0a1b2c3d4e5f") + sha(secret)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "fb2e77d.47a0479900504cb3ab4a1f626d174d2d",
        "vk_cs_" + SECRET[6:],
        SECRET[:-1],
        SECRET + "x",
        "vk_at_0a1b2c3d4e5g" + SECRET[18:],
        "vk_at_ü" + SECRET[7:],
    ],
)
def test_everything_else_is_kept_by_its_digest_alone(secret: str):
    assert digest(secret) == sha(secret)


@pytest.mark.parametrize("at", range(len(SECRET)))
def test_no_character_can_be_changed(at: int):
    for other in ("0", "F", " ", "\n", SECRET[at].swapcase()):
        if other != SECRET[at]:
            assert digest(SECRET[:at] + other + SECRET[at + 1 :])[-32:] != digest(SECRET)[-32:]
