"""The origin document's sample request, typed into the real curl, against a real socket behind our own door."""

import asyncio
import contextlib
import json
import re
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import uvicorn

from tests.house import House
from valetkey.web.listener import Limits, Listening

CURL = shutil.which("curl") or "curl"  # ./dev test installs it


class Server(uvicorn.Server):
    """uvicorn in the loop of the test, which keeps its signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture
async def address(house: House) -> AsyncIterator[str]:
    """Where the server listens."""
    kind: Any = Listening(Limits())
    config = uvicorn.Config(
        house.app, http=kind, ws="none", lifespan="off", log_config=None, access_log=False
    )
    server, listener = Server(config), socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve([listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task


async def curl(*arguments: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of one request."""
    command = [CURL, "--silent", "--show-error", "--include", "--noproxy", "*", *arguments]
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    out, errors = await asyncio.wait_for(program.communicate(), 30)
    assert program.returncode == 0, errors
    head, _, body = out.decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, json.loads(body)


async def test_the_sample_request(house: House, address: str) -> None:
    """curl -F 'client_id=CLIENT_ID' -F 'client_secret=CLIENT_SECRET' -F 'grant_type=authorization_code'
    -F 'redirect_uri=AUTHORIZATION_REDIRECT_URI' -F 'code=CODE' https://api.../oauth/access_token"""
    app = await house.make_app("http://yourcallback.com/")
    browser = await house.logged_in(await house.make_account())
    used = "http://yourcallback.com/?this=that&another=true"
    fields = (
        *("-F", f"client_id={app.id}"),
        *("-F", f"client_secret={app.secret}"),
        *("-F", "grant_type=authorization_code"),
        *("-F", f"redirect_uri={used}"),
        *("-F", f"code={await house.code(browser, app, redirect_uri=used)}"),
    )
    status, headers, body = await curl(*fields, f"{address}/oauth/access_token")
    assert (status, headers["content-type"], headers["cache-control"]) == (
        200,
        "application/json",
        "no-store",
    )
    assert list(body) == ["access_token", "user"]
    assert re.fullmatch(app.id[:7] + r"\.[0-9a-f]{32}", body["access_token"])
    assert (body["user"]["username"], body["user"]["full_name"]) == ("snoopdogg", "Snoop Dogg")

    status, headers, me = await curl(f"{address}/v1/users/self/?access_token={body['access_token']}")
    assert (status, me["data"]["id"]) == (200, body["user"]["id"])

    status, headers, again = await curl(*fields, f"{address}/oauth/access_token")
    assert (status, headers["cache-control"]) == (400, "no-store")
    message = "Matching code was not found or was already used."
    assert again == {"code": 400, "error_type": "OAuthException", "error_message": message}
    status, _, me = await curl(f"{address}/v1/users/self/?access_token={body['access_token']}")
    assert (status, me["meta"]["error_type"]) == (400, "OAuthAccessTokenException"), "the replay revoked it"


@pytest.mark.parametrize("option", ["-d", "--data-urlencode"])
async def test_curl_with_an_urlencoded_body(house: House, address: str, option: str) -> None:
    app = await house.make_app()
    code = await house.code(await house.logged_in(await house.make_account()), app)
    fields = [
        part
        for name, value in house.exchange_fields(app, code).items()
        for part in (option, f"{name}={value}")
    ]
    status, _, body = await curl(*fields, f"{address}/oauth/access_token/")
    assert (status, body["user"]["username"]) == (200, "snoopdogg")


async def test_curl_without_a_content_type(house: House, address: str) -> None:
    """As python-instagram's HTTP client sends it."""
    app = await house.make_app()
    code = await house.code(await house.logged_in(await house.make_account()), app)
    fields = "&".join(f"{name}={value}" for name, value in house.exchange_fields(app, code).items())
    status, _, body = await curl("-H", "Content-Type:", "-d", fields, f"{address}/oauth/access_token")
    assert (status, body["user"]["username"]) == (200, "snoopdogg")
