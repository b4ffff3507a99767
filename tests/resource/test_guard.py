"""Who is let in, and what those are told who are not (RFC 6750 3, RFC 9728 5)."""

import json
from typing import Any

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from valetkey.resource import Denied, Guard, Protected, Resource, Token, Unreachable, token_of
from valetkey.resource.sources import Claims

NOTES = Resource("https://notes.test/mcp", "https://id.test", ("basic", "likes"))
WHERE = 'Bearer resource_metadata="https://notes.test/.well-known/oauth-protected-resource/mcp"'
GOOD = {"sub": "1", "client_id": "app", "aud": NOTES.uri, "scope": "basic"}


class Told:
    """Says the same of every token."""

    def __init__(self, claims: Claims | Exception | None) -> None:
        self.said = claims
        self.tokens: list[str] = []

    async def claims(self, token: str) -> Claims | None:
        self.tokens.append(token)
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def guard(claims: Claims | Exception | None = GOOD) -> Guard:
    return Guard(NOTES, Told(claims))


async def denied(of: Guard, header: str | None, *scopes: str) -> Denied:
    with pytest.raises(Denied) as no:
        await of.admit(header, *scopes)
    return no.value


@pytest.mark.parametrize("aud", [NOTES.uri, [NOTES.uri], ["https://other.test", NOTES.uri]])
async def test_a_token_for_this_server_is_let_in(aud: Any) -> None:
    claims = GOOD | {"aud": aud}
    for header in ("Bearer abc", "bearer  abc"):
        assert await guard(claims).admit(header, "basic") == Token("1", "app", ("basic",), claims)


async def test_who_shows_nothing_has_done_nothing_wrong() -> None:
    for header in (None, ""):
        no = await denied(guard(), header, "basic")
        assert (no.status, no.headers, no.body) == (401, {"WWW-Authenticate": f'{WHERE}, scope="basic"'}, {})


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer a b", "Basic abc", "DPoP abc", "Bearer a, Bearer b", "x"]
)
async def test_what_is_no_bearer_token_is_not_asked_about(header: str) -> None:
    of = guard()
    no = await denied(of, header)
    assert (no.status, no.body["error"]) == (401, "invalid_token")
    assert isinstance(of.source, Told) and of.source.tokens == []


@pytest.mark.parametrize(
    "claims",
    [
        None,
        GOOD | {"aud": "https://notes.test/mcp/"},
        GOOD | {"aud": ["https://id.test"]},
        GOOD | {"aud": []},
        {name: value for name, value in GOOD.items() if name != "aud"},
        GOOD | {"cnf": {"jkt": "x"}},
        GOOD | {"cnf": {"x5t#S256": "x"}},
    ],
)
async def test_a_token_that_is_no_good_here(claims: dict[str, Any] | None) -> None:
    no = await denied(guard(claims), "Bearer abc", "basic")
    assert (no.status, no.body["error"]) == (401, "invalid_token")
    assert no.headers["WWW-Authenticate"].startswith(f'{WHERE}, error="invalid_token", error_description="')


async def test_who_lacks_a_scope_is_told_which_to_ask_for() -> None:
    no = await denied(guard(), "Bearer abc", "basic", "likes")
    assert (no.status, no.body["error"]) == (403, "insufficient_scope")
    assert no.headers["WWW-Authenticate"].endswith(', scope="basic likes"')
    bare = GOOD | {"scope": ""}
    assert (await denied(guard(bare), "Bearer abc", "basic")).status == 403


async def test_while_nobody_can_say_nobody_is_let_in() -> None:
    no = await denied(guard(Unreachable("gone")), "Bearer abc")
    assert (no.status, no.body["error"], no.headers) == (503, "temporarily_unavailable", {"Retry-After": "5"})


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that says whose request it is, and needs more for one of its paths."""
    if scope["type"] == "lifespan":
        return await send({"type": "lifespan.startup.complete"})
    token = token_of(scope)
    if scope["path"] == "/mcp/like":
        guard().require(token, "likes")
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(token.subject).encode()})


@pytest.fixture
def http() -> httpx2.AsyncClient:
    app: Any = Protected(behind, guard(), "basic")
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://notes.test")


async def test_a_whole_application(http: httpx2.AsyncClient) -> None:
    told = await http.get("/.well-known/oauth-protected-resource/mcp")
    assert told.json() == NOTES.metadata() and told.headers["access-control-allow-origin"] == "*"
    no = await http.post("/mcp")
    assert no.status_code == 401 and no.headers["www-authenticate"] == f'{WHERE}, scope="basic"'
    assert "www-authenticate" in no.headers["access-control-expose-headers"]
    shown = {"authorization": "Bearer abc"}
    yes = await http.post("/mcp", headers=shown)
    assert (yes.status_code, yes.json(), yes.headers["access-control-allow-origin"]) == (200, "1", "*")
    more = await http.post("/mcp/like", headers=shown)
    assert (more.status_code, more.json()["error"]) == (403, "insufficient_scope")
    twice = await http.post(
        "/mcp", headers=[("authorization", "Bearer abc"), ("authorization", "Bearer abc")]
    )
    assert twice.status_code == 401
    asked = await http.options("/mcp")
    assert asked.status_code == 204 and "authorization" in asked.headers["access-control-allow-headers"]


async def test_what_is_no_request_goes_through() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    app: Any = Protected(behind, guard())
    await app({"type": "lifespan"}, receive, send)
    assert sent == [{"type": "lifespan.startup.complete"}]


@pytest.mark.parametrize(("shown", "let_in"), [(b"Bearer abc", True), (b"", False), (b"Basic abc", False)])
async def test_a_websocket_is_a_request_too(shown: bytes, let_in: bool) -> None:
    inside: list[Scope] = []
    sent: list[Any] = []

    async def chat(scope: Scope, receive: Receive, send: Send) -> None:
        inside.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    app: Any = Protected(chat, guard(), "basic")
    headers = [(b"authorization", shown)] if shown else []
    await app({"type": "websocket", "path": "/mcp", "headers": headers}, receive, send)
    if let_in:
        assert token_of(inside[0]).subject == "1" and not sent
    else:
        assert not inside and sent == [{"type": "websocket.close", "code": 1008}]
