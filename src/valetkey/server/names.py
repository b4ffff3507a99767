"""Names people choose: one canonical key for each, and nothing in them that deceives the eye (I6, D6)."""

import re
import unicodedata

USERNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._\-]{0,28}[A-Za-z0-9_])?")
DECEIVING = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def canonical(username: str) -> str:
    """The one key of a username: compatibility forms, case and outer spaces make no difference."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold()).strip()[:256]


def why_not_username(username: str) -> str | None:
    """What is wrong with a username, in plain words; None when nothing is."""
    if not USERNAME.fullmatch(username):
        return "must be 1 to 30 letters of a to z, digits, dots, dashes or underscores"
    return None


def why_not_line(text: str, longest: int, shortest: int = 0) -> str | None:
    """What is wrong with one line of free text, such as a full name or an app's name."""
    if len(text) > longest:
        return f"is longer than {longest} characters"
    if len(text.strip()) < shortest:
        return "is empty"
    if any(unicodedata.category(letter) in DECEIVING for letter in text):
        return "has invisible or control characters"
    return None


def why_not_website(url: str) -> str | None:
    """What is wrong with the address of a website; an empty one is fine."""
    if not url:
        return None
    if len(url) > 300 or not re.fullmatch(r"https?://[^\s\"'<>\\^`{|}]+", url) or not url.isprintable():
        return "must start with https:// or http:// and have no spaces"
    return None


def why_not_email(email: str) -> str | None:
    """What is wrong with an e-mail address, as far as its look tells (RFC 5321 4.5.3.1)."""
    if len(email) > 254 or not re.fullmatch(r"[^\s@\"<>(),;:\\\[\]]{1,64}@[A-Za-z0-9.\-]+", email):
        return "does not look like an address"
    return why_not_line(email, 254)


def tidy(text: str) -> str:
    """Free text in one spelling (NFC), without outer spaces."""
    return unicodedata.normalize("NFC", text).strip()
