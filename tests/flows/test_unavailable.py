"""The database does not answer: a clean 503 everywhere, and its cause in the operator's log."""

from typing import Any

import pytest
import structlog

from tests.house import ONE_STORE, Build
from valetkey.store.base import Unavailable

WHY = "disk I/O error"
TOKEN = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "x"}


@ONE_STORE
@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("POST", "/oauth/token", TOKEN),
        ("POST", "/oauth/access_token", TOKEN | {"grant_type": "authorization_code", "code": "c"}),
        ("POST", "/oauth/introspect", TOKEN | {"token": "t"}),
        ("POST", "/oauth/register", None),
        ("GET", "/v1/users/self?access_token=0f15e5a.9d4cbd3b6d0b4ff2b4a2d4f0a1c3e5b7", None),
        ("GET", "/oauth/authorize?client_id=app&response_type=code&redirect_uri=https://a.example/", None),
    ],
)
async def test_it_is_said_why(
    build: Build, monkeypatch: pytest.MonkeyPatch, method: str, path: str, form: dict[str, str] | None
) -> None:
    house = await build(mcp=True)

    async def gone(*_: Any) -> None:
        raise Unavailable(WHY)

    for (
        name
    ) in "own_facts exchange_facts introspect_facts bearer_facts authorize_facts attempt self_made".split():
        monkeypatch.setattr(house.store, name, gone)
    said = {"json": {"redirect_uris": ["http://127.0.0.1/"]}} if path == "/oauth/register" else {"data": form}
    with structlog.testing.capture_logs() as lines:
        answer = await house.http().request(method, path, **said)
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True), answer.text
    told = [(line["log_level"], line["why"]) for line in lines if line.get("status") == 503]
    assert told == [("warning", WHY)], lines
    assert WHY not in answer.text
