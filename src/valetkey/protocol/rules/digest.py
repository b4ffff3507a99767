"""What the store keeps of a secret, and finds it by: its SHA-256, behind its selector if it carries one (R8)."""

import hashlib

SELECTED = ("vk_ac_", "vk_at_", "vk_rt_", "vk_dc_")
PREFIX, SELECTOR, LENGTH = 6, 12, 67


def digest(secret: str) -> bytes:
    """SHA-256 of the whole secret; behind `vk_ac_` and its kin stand twelve hex digits, which go before it.

    Selectors grow with time, so that rows kept in the order of this key append. They are no secret and prove
    nothing: two secrets that differ anywhere have different digests.
    """
    kept = hashlib.sha256(secret.encode()).digest()
    if len(secret) != LENGTH or not secret.startswith(SELECTED):
        return kept
    try:
        return bytes.fromhex(secret[PREFIX : PREFIX + SELECTOR]) + kept
    except ValueError:
        return kept
