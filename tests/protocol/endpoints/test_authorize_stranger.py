"""What a client that nobody knows asks for: is it worth while to look up who that is? (L1)"""

from dataclasses import replace

import pytest

from tests.protocol.samples import BOOK, CHALLENGE, query
from valetkey.protocol.detail_type import DetailType
from valetkey.protocol.endpoints.authorize import check_stranger
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.profiles.mcp import MCP

ASKED = {
    "client_id": "https://agent.test/client.json",
    "redirect_uri": "http://127.0.0.1:9/cb",
    "response_type": "code",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "resource": "https://notes.test/mcp",
}


@pytest.mark.parametrize(
    "more", [{}, {"redirect_uri": "app.example:/cb"}, {"scope": "basic"}, {"state": "x"}]
)
def test_what_may_come_to_something(more: dict[str, str]) -> None:
    check_stranger(query(**(ASKED | more)), MCP, BOOK)


def test_details_of_a_type_that_the_operator_described() -> None:
    book = replace(BOOK, details={"payment": DetailType("payment")})
    check_stranger(query(**ASKED, authorization_details='[{"type":"payment"}]'), MCP, book)


@pytest.mark.parametrize(
    "more",
    [
        {"redirect_uri": ""},
        {"redirect_uri": "javascript:x"},
        {"redirect_uri": "http://agent.test/cb"},
        {"response_type": ""},
        {"response_type": "token"},
        {"code_challenge": ""},
        {"scope": "fly"},
        {"resource": ""},
    ],
)
def test_what_comes_to_nothing(more: dict[str, str]) -> None:
    with pytest.raises(OAuthError):
        check_stranger(query(**(ASKED | more)), MCP, BOOK)
