"""user_code: the short code that a person copies from a device (RFC 8628 6.1)."""

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words, and nothing that looks like a digit
LENGTH = 8


def read(typed: str) -> str | None:
    """The code that was typed, in either case, with dashes and spaces where people put them; None when it is none."""
    code = "".join(letter for letter in typed if letter.isalnum()).upper()
    return code if len(code) == LENGTH and all(letter in LETTERS for letter in code) else None


def spelled(code: str) -> str:
    """The code as people read it: WDJB-MJHT."""
    return f"{code[:4]}-{code[4:]}"
