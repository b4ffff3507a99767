"""How today's profiles word what they say (RFC 6749 5.1 and 5.2)."""

import inspect
import json

import msgspec
import pytest

from tests.protocol.samples import PERSON, told
from valetkey.protocol import errors
from valetkey.protocol.errors import InvalidClient, InvalidGrant, OAuthError
from valetkey.protocol.profile import TokenAnswer
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.rules.answers import token_answer

# RFC 6749 4.1.2.1 and 5.2, RFC 6750 3.1, RFC 7591 3.2.2, RFC 9101 7, RFC 9449 5 and 8
REGISTERED = {
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "access_denied",
    "invalid_target",
    "invalid_request_object",
    "authorization_pending",
    "slow_down",
    "expired_token",
    "invalid_request_uri",
    "invalid_token",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "login_required",
    "invalid_authorization_details",
    "consent_required",
    "unmet_authentication_requirements",
    "insufficient_user_authentication",
    "invalid_redirect_uri",
    "invalid_client_metadata",
    "invalid_software_statement",
    "unapproved_software_statement",
}
ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, OAuthError)]


def test_what_else_a_token_answer_may_tell() -> None:
    told = TokenAnswer("abc", ("basic",), 60, None, "DPoP", "again", "urn:type", '[{"type":"a"}]')
    assert json.loads(msgspec.json.encode(token_answer(told))) == {
        "access_token": "abc",
        "token_type": "DPoP",
        "scope": "basic",
        "expires_in": 60,
        "refresh_token": "again",
        "issued_token_type": "urn:type",
        "authorization_details": [{"type": "a"}],
    }


def test_every_error_has_a_registered_code_of_its_own() -> None:
    kinds = [kind for kind in ERRORS if kind is not OAuthError]
    assert {kind.code for kind in kinds} == REGISTERED
    assert len(kinds) == len(REGISTERED)


@pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind is not OAuthError])
def test_an_error_names_its_code_and_says_why(kind: type[OAuthError]) -> None:
    status, body = told(kind("reason", "words", "subject"), OAUTH20)
    assert status == (401 if kind is InvalidClient else 400)
    assert body == {"error": kind.code, "error_description": "words"}


def test_an_error_has_a_public_half_and_one_that_is_ours() -> None:
    error = InvalidGrant("code_spent", "the code was used before")
    assert str(error) == "the code was used before"
    assert (error.reason, error.subject, error.changes) == ("code_spent", "", ())


@pytest.mark.parametrize(
    ("scope", "lifetime", "more"),
    [
        (("basic", "likes"), 3600, {"scope": "basic likes", "expires_in": 3600}),
        (("basic",), None, {"scope": "basic"}),
        ((), 60, {"scope": "", "expires_in": 60}),
    ],
)
def test_a_token_is_answered(scope: tuple[str, ...], lifetime: int | None, more: dict[str, object]) -> None:
    assert token_answer(TokenAnswer("abc", scope, lifetime, PERSON)) == {
        "access_token": "abc",
        "token_type": "Bearer",
        **more,
    }
