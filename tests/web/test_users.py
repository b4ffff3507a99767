"""The API's answers as they stand on the wire (classic.md 4)."""

import os
from types import SimpleNamespace
from typing import Any

import pytest

from tests.web.listening import Echo, Listener
from valetkey.server.mint import Mint
from valetkey.settings import Settings
from valetkey.web.listener import Limits
from valetkey.web.users import UsersEndpoint


class Api(Echo):
    """The API alone, which needs no more than this to say what it is not."""

    def __init__(self) -> None:
        super().__init__()
        server: Any = SimpleNamespace(settings=Settings(), mint=Mint(os.urandom))
        self.users = UsersEndpoint(server)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.users(scope, receive, send)


@pytest.mark.parametrize("parser", ["httptools", "h11"])
def test_the_limits_are_spelled_as_the_origin_spells_them(parser: str) -> None:
    """Clients that look into raw lines of the head find X-Ratelimit-Limit and X-Ratelimit-Remaining."""
    with Listener(Limits(), parser, Api()) as listener:
        asked = b"POST /v1/users/self HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        with listener.connect(asked) as peer:
            assert b"\r\nX-Ratelimit-Limit: 5000\r\nX-Ratelimit-Remaining: 5000\r\n" in peer.ends()
