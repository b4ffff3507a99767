"""token: the client-side (implicit) flow as the origin has it: nothing but the token in the fragment (D4)."""

from valetkey.protocol.decision import Answer
from valetkey.protocol.rules.redirect_uri import with_parameters
from valetkey.protocol.rules.response_type import ResponseType


def location(answer: Answer, token: str, issuer: str) -> str:
    """redirect_uri#access_token=TOKEN; state goes into the query: clients take the whole fragment as the token."""
    target = (
        with_parameters(answer.redirect_uri, f"state={answer.state}") if answer.state else answer.redirect_uri
    )
    return f"{target}#access_token={token}"


TOKEN = ResponseType(name="token", issues="token", in_front=True, location=location)
