"""A question about a token, as it is read."""

import pytest

from tests.protocol.samples import digest, headers, params, query
from valetkey.protocol.errors import InvalidClient, InvalidRequest
from valetkey.protocol.params import Params
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.rules import token_question
from valetkey.protocol.rules.checksum import checksummed
from valetkey.protocol.rules.digest import digest as of
from valetkey.protocol.rules.headers import Headers

TODAY = PROFILES["oauth21"]
CLIENT = {"client_id": "app", "client_secret": "s"}
ACCESS = checksummed("vk_at_" + "0" * 12 + "x" * 43)
REFRESH = checksummed("vk_rt_" + "0" * 12 + "x" * 43)


def read(**fields: str) -> token_question.TokenQuestion:
    return token_question.read(params(**CLIENT, **fields), query(), headers(), TODAY)


@pytest.mark.parametrize("hint", [{}, {"token_type_hint": "refresh_token"}, {"token_type_hint": "nonsense"}])
@pytest.mark.parametrize(
    ("token", "kept", "refresh"),
    [
        (ACCESS, of(ACCESS), False),
        (REFRESH, of(REFRESH), True),
        (ACCESS[:-1] + "!", b"", False),
        (REFRESH[:-1] + "!", b"", True),
        ("abc.def", digest("abc.def"), False),
        ("a.b.c", digest("a.b.c"), False),
    ],
)
def test_the_token_says_what_it_is_and_the_hint_does_no_harm(
    token: str, kept: bytes, refresh: bool, hint: dict[str, str]
):
    question = read(token=token, **hint)
    assert (question.token, question.digest, question.refresh) == (token, kept, refresh)
    assert question.shown.client_id == "app" and question.profile is TODAY


@pytest.mark.parametrize(
    ("body", "asked", "reason"),
    [
        (CLIENT, {}, "token_missing"),
        (CLIENT | {"token": ""}, {}, "token_missing"),
        (CLIENT, {"token": "x"}, "query_used"),
        (CLIENT | {"token": "x", "other": "1"}, {"other": "1"}, "query_used"),
        ({"token": "x"}, {"client_id": "app"}, "query_used"),
    ],
)
def test_what_is_no_question(body: dict[str, str], asked: dict[str, str], reason: str):
    with pytest.raises(InvalidRequest) as told:
        token_question.read(Params(body.items()), query(**asked), headers(), TODAY)
    assert told.value.reason == reason


def test_what_form_of_answer_is_asked_for_comes_along():
    """RFC 9701 4."""
    assert read(token="x").accept == ""
    signed = Headers(accept="application/token-introspection+jwt")
    question = token_question.read(params(**CLIENT, token="x"), query(), signed, TODAY)
    assert question.accept == signed.accept


def test_other_names_in_the_query_are_ignored():
    question = token_question.read(params(**CLIENT, token="x"), query(trace="1"), headers(), TODAY)
    assert question.token == "x"


def test_nobody_asks():
    with pytest.raises(InvalidClient):
        token_question.read(params(token="x"), query(), headers(), TODAY)
