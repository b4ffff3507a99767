"""ResponseType: the record that a response_type is, and the address that an answer goes to (RFC 6749 4.1.2)."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_plus

from valetkey.protocol.decision import Answer
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules.redirect_uri import with_parameters


@dataclass(frozen=True, slots=True)
class ResponseType:
    """`issues` says what is minted, code or token; `in_front` whether a token passes through the browser;
    `location` writes the address: (decision, what was minted, issuer) -> where the browser goes."""

    name: str
    issues: str
    in_front: bool
    location: Callable[[Answer, str, str], str]


def query(pairs: tuple[tuple[str, str], ...], state: str, profile: Profile, issuer: str) -> str:
    """The parameters of an answer: its own, then `state` as it came (RFC 6749 4.1.2), then `iss` (RFC 9207)."""
    parts = [f"{name}={quote_plus(value)}" for name, value in pairs]
    if state:
        parts.append(f"state={state}")
    if profile.issuer_in_answer:
        parts.append(f"iss={quote_plus(issuer)}")
    return "&".join(parts)


def refusal(
    redirect_uri: str, pairs: tuple[tuple[str, str], ...], state: str, profile: Profile, issuer: str
) -> str:
    """The address that tells the client no (RFC 6749 4.1.2.1)."""
    return with_parameters(redirect_uri, query(pairs, state, profile, issuer))
