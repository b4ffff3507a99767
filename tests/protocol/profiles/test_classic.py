"""classic says what clients of the era match, word by word (classic.md 2 and 3; D5, D6, D10)."""

import ast
from pathlib import Path

import msgspec
import pytest

import valetkey.protocol
from tests.protocol.samples import PERSON, flat, told
from valetkey.protocol.errors import InvalidClient, InvalidRequest, InvalidScope
from valetkey.protocol.profile import TokenAnswer
from valetkey.protocol.profiles.classic import CLASSIC, FORBIDDEN, WORDS
from valetkey.protocol.rules.redirect_uri import with_extra_query

SOURCE = Path(valetkey.protocol.__file__).parent

MESSAGES = [
    # classic.md 2
    (
        "authorize_client_id_missing",
        "You must include a valid client_id, response_type, and redirect_uri parameters",
    ),
    (
        "authorize_redirect_uri_missing",
        "You must include a valid client_id, response_type, and redirect_uri parameters",
    ),
    (
        "response_type_missing",
        "You must include a valid client_id, response_type, and redirect_uri parameters",
    ),
    ("client_unknown", "Invalid Client ID"),
    ("redirect_uri_unregistered", "Redirect URI does not match registered redirect URI"),
    ("response_type_unknown", 'Only response type "code" and "token" is allowed'),
    # classic.md 3
    ("client_id_missing", "You must provide a client_id"),
    ("secret_missing", "You must provide a client_secret"),
    ("grant_type_missing", "You must provide a grant_type"),
    ("redirect_uri_missing", "You must provide a redirect_uri"),
    ("code_missing", "You must provide a code"),
    ("secret_wrong", "Invalid Client Secret"),
    ("code_unknown", "Matching code was not found or was already used."),
    ("code_spent", "Matching code was not found or was already used."),
    ("code_expired", "Matching code was not found or was already used."),
    ("code_revoked", "Matching code was not found or was already used."),
    ("redirect_uri_differs", "Redirect URI doesn't match original redirect URI"),
    ("grant_type_unknown", 'Only grant type "authorization_code" is allowed'),
]
FORBIDDEN_MESSAGES = [
    ("implicit_disabled", "Implicit authentication is disabled"),
    ("not_a_tester", "You are not a sandbox user of this client"),
]


@pytest.mark.parametrize(("reason", "message"), MESSAGES)
def test_what_clients_match(reason: str, message: str) -> None:
    assert told(InvalidRequest(reason, "our own words")) == flat(message)
    assert told(InvalidClient(reason, "our own words")) == flat(message)


@pytest.mark.parametrize(("reason", "message"), FORBIDDEN_MESSAGES)
def test_what_is_forbidden(reason: str, message: str) -> None:
    assert told(InvalidRequest(reason, "our own words")) == flat(message, 403)


def test_every_word_is_in_these_tables() -> None:
    assert dict(MESSAGES + FORBIDDEN_MESSAGES) == WORDS


def test_a_bad_scope_is_named() -> None:
    error = InvalidScope("scope_unknown", "unknown scope: nope, wrong", "nope, wrong")
    assert told(error) == flat("Invalid scope field(s): nope, wrong")


def test_any_other_error_keeps_its_own_words() -> None:
    assert told(InvalidRequest("parameter_twice", "the parameter a is there twice", "a")) == flat(
        "the parameter a is there twice"
    )
    assert told(InvalidRequest("sig_missing", "words")) == flat("words", 403)
    assert told(InvalidRequest("sig_wrong", "words")) == flat("words", 403)


def test_there_are_no_words_for_what_is_never_said() -> None:
    trees = [ast.parse(file.read_text()) for file in SOURCE.rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    said = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    assert set(WORDS) <= said
    assert said >= FORBIDDEN


def test_a_token_is_answered_as_in_the_document() -> None:
    body = CLASSIC.token_answer(
        TokenAnswer("fb2e77d.47a0479900504cb3ab4a1f626d174d2d", ("basic",), None, PERSON)
    )
    assert msgspec.json.encode(body).decode() == (
        '{"access_token":"fb2e77d.47a0479900504cb3ab4a1f626d174d2d","user":{"id":"1574083","username":"snoopdogg",'
        '"full_name":"Snoop Dogg","profile_picture":"https://id.test/p/1.jpg"}}'
    )
    assert CLASSIC.token_answer(TokenAnswer("a", ("basic", "likes"), 3600, PERSON)) == {
        "access_token": "a",
        "user": PERSON,
    }


def test_the_rules_of_the_document() -> None:
    assert CLASSIC.redirect_matches is with_extra_query  # D8
    assert CLASSIC.response_types == {"code", "token"}  # D1
    assert CLASSIC.always_scope == ("basic",)  # D6
    assert CLASSIC.client_auth == {"client_secret_post"}  # D9
    assert CLASSIC.denial == (  # D5, in this order
        ("error", "access_denied"),
        ("error_reason", "user_denied"),
        ("error_description", "The user denied your request"),
    )
    assert (CLASSIC.token_path, CLASSIC.token_form) == ("/oauth/access_token", "classic")
    assert (CLASSIC.code_lifetime, CLASSIC.token_lifetime) == (600, None)
    assert (CLASSIC.redirect_again, CLASSIC.plain_http, CLASSIC.pkce_required) == (True, True, False)
    assert (CLASSIC.credentials_twice, CLASSIC.errors_redirected, CLASSIC.issuer_in_answer) == (
        True,
        False,
        False,
    )
