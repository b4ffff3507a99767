"""What a client that nobody knows asks for: is it worth while to look up who that is? (L1)"""

import pytest

from tests.protocol.samples import BOOK, CHALLENGE, NOW, query
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
    check_stranger(query(**(ASKED | more)), MCP, BOOK, NOW)


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
        check_stranger(query(**(ASKED | more)), MCP, BOOK, NOW)
