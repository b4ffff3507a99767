"""What holds of every refusal, whichever rule makes it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from valetkey.protocol.errors import OAuthError

REASON = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
FIRST = r"(?:[A-Z]?[a-z0-9]|DPoP|PKCE|JWK|JWT|JSON|TLS)"  # no sentence shouts
SENTENCE = re.compile(
    FIRST + r"[ !#-\[\]-~]*"
)  # RFC 6749 5.2: printable ASCII without the quote and the backslash


@pytest.fixture(autouse=True, scope="session")
def refusals_are_well_spoken() -> Iterator[None]:
    """Every refusal that a test meets has a slug for the log, and a sentence for who reads the answer."""
    made: Any = OAuthError.__init__

    def check(error: OAuthError, reason: str, description: str, *more: Any, **named: Any) -> None:
        assert REASON.fullmatch(reason), reason
        assert SENTENCE.fullmatch(description) and "None" not in description, description
        made(error, reason, description, *more, **named)
        assert isinstance(error.subject, str), error.subject

    OAuthError.__init__ = check  # type: ignore[method-assign]
    yield
    OAuthError.__init__ = made  # type: ignore[method-assign]
