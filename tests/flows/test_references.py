"""Whoever is refused is told a name of the request, and the operator finds the reason by it."""

from typing import Any

import pytest
import structlog

from tests.house import ONE_STORE, Build
from valetkey.settings import RegistrationSettings

JSON = {"headers": {"content-type": "application/json"}, "content": b"{}"}
REFUSED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a code of nobody": ("POST", "/oauth/token", {"data": {"grant_type": "authorization_code"}}),
    "classic": ("POST", "/oauth/access_token", {"data": {"code": "x"}}),
    "not a form": ("POST", "/oauth/token", JSON),
    "not so": ("GET", "/oauth/introspect", {}),
    "who asks": ("POST", "/oauth/introspect", {"data": {"token": "x"}}),
    "who pushes": ("POST", "/oauth/par", {"data": {"client_id": "nobody"}}),
    "no app": ("POST", "/oauth/register", JSON),
    "no such app": ("GET", "/oauth/register/nobody", {}),
    "no registration": ("PATCH", "/oauth/register", {}),
    "a dead token": ("GET", "/v1/users/self", {"headers": {"authorization": "Bearer vk_at_x"}}),
    "no call": ("GET", "/v1/media", {}),
    "where to": ("GET", "/oauth/authorize?client_id=nobody", {}),
}


@ONE_STORE
@pytest.mark.parametrize("what", REFUSED)
async def test_the_answer_has_the_name_that_the_log_has(build: Build, what: str) -> None:
    house = await build(registration=RegistrationSettings(mode="open"))
    method, path, said = REFUSED[what]
    with structlog.testing.capture_logs() as lines:
        answer = await house.http().request(method, path, **said)
    assert answer.status_code >= 400
    [line] = [line for line in lines if line.get("reference") == answer.headers["x-request-id"]]
    assert line["reason"]


@ONE_STORE
async def test_what_went_wrong_on_our_side_is_found_by_it(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await build(registration=RegistrationSettings(mode="open"))

    async def broken(*given: object) -> None:
        raise ZeroDivisionError

    for name in ("exchange_facts", "bearer_facts", "client", "self_made"):
        monkeypatch.setattr(house.store, name, broken)
    code = {"client_id": "a", "client_secret": "b", "grant_type": "authorization_code", "code": "c"}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/oauth/access_token", {"data": code | {"redirect_uri": "https://a.example/"}}),
        ("GET", "/v1/users/self", {"headers": {"authorization": "Bearer x"}}),
        ("POST", "/oauth/register", JSON | {"content": b'{"redirect_uris":["https://a.example/cb"]}'}),
    ]
    for method, path, said in calls:
        with structlog.testing.capture_logs() as lines:
            answer = await house.http().request(method, path, **said)
        assert answer.status_code == 500
        named = [line for line in lines if line.get("reference") == answer.headers["x-request-id"]]
        assert [bool(line.get("exc_info")) for line in named] == [True, False], lines
