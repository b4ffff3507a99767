"""How today's profiles word their answers: RFC 6749 5.1 and 5.2."""

from valetkey.protocol.profile import ErrorAnswer, Person

DENIAL = (("error", "access_denied"), ("error_description", "The user denied your request"))


def error_answer(code: str, reason: str, description: str, subject: str) -> ErrorAnswer:
    """RFC 6749 5.2: 401 for a client that did not prove who it is, otherwise 400."""
    return 401 if code == "invalid_client" else 400, {"error": code, "error_description": description}


def token_answer(
    token: str, person: Person, scope: tuple[str, ...], lifetime: int | None
) -> dict[str, object]:
    """RFC 6749 5.1; the scope is always named, so that no client has to guess."""
    body: dict[str, object] = {"access_token": token, "token_type": "Bearer", "scope": " ".join(scope)}
    return body if lifetime is None else {**body, "expires_in": lifetime}
