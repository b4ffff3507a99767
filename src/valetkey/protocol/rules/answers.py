"""How today's profiles word their answers: RFC 6749 5.1 and 5.2."""

import msgspec

from valetkey.protocol.profile import ErrorAnswer, TokenAnswer

DENIAL = (("error", "access_denied"), ("error_description", "The user denied your request"))


def error_answer(code: str, reason: str, description: str, subject: str) -> ErrorAnswer:
    """RFC 6749 5.2: 401 for a client that did not prove who it is, otherwise 400."""
    return 401 if code == "invalid_client" else 400, {"error": code, "error_description": description}


def token_answer(told: TokenAnswer) -> dict[str, object]:
    """RFC 6749 5.1; the scope is always named, so that no client has to guess."""
    body: dict[str, object] = {
        "access_token": told.token,
        "token_type": told.token_type,
        "scope": " ".join(told.scope),
    }
    if told.lifetime is not None:
        body["expires_in"] = told.lifetime
    if told.refresh_token:
        body["refresh_token"] = told.refresh_token
    if told.issued_token_type:
        body["issued_token_type"] = told.issued_token_type
    if told.details:
        body["authorization_details"] = msgspec.Raw(told.details.encode())
    return body
