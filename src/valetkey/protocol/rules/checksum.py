"""Six characters behind each secret by which a mistyped one is known at sight, before anything is looked up."""

import zlib

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PAIRS = [one + two for one in BASE62 for two in BASE62]  # two digits at a time
CHECKED = ("vk_at_", "vk_rt_")


def checksummed(text: str) -> str:
    """The text with six base62 characters of its CRC-32 behind it."""
    rest, last = divmod(zlib.crc32(text.encode()), len(PAIRS))
    first, middle = divmod(rest, len(PAIRS))
    return text + PAIRS[first] + PAIRS[middle] + PAIRS[last]


def misspelt(token: str) -> bool:
    """Whether this claims to be a token of today's form and cannot be one."""
    return token.startswith(CHECKED) and checksummed(token[:-6]) != token
