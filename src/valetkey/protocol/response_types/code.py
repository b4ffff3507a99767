"""code: the server-side flow (RFC 6749 4.1.2; classic.md D3)."""

from valetkey.protocol.decision import Answer
from valetkey.protocol.rules.redirect_uri import with_parameters
from valetkey.protocol.rules.response_type import ResponseType, query


def location(answer: Answer, code: str, issuer: str) -> str:
    """redirect_uri?code=CODE, then state."""
    return with_parameters(
        answer.redirect_uri, query((("code", code),), answer.state, answer.profile, issuer)
    )


CODE = ResponseType(name="code", issues="code", in_front=False, location=location)
