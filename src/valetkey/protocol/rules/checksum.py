"""Six characters behind each secret by which a mistyped one is known at sight, before anything is looked up."""

import zlib

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKED = ("vk_at_", "vk_rt_")


def checksummed(text: str) -> str:
    """The text with six base62 characters of its CRC-32 behind it."""
    rest, tail = zlib.crc32(text.encode()), ""
    for _ in range(6):
        rest, letter = divmod(rest, 62)
        tail = BASE62[letter] + tail
    return text + tail


def misspelt(token: str) -> bool:
    """Whether this claims to be a token of today's form and cannot be one."""
    return token.startswith(CHECKED) and checksummed(token[:-6]) != token
