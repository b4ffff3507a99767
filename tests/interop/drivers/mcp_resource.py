"""An MCP server on the Python SDK: its own door (RFC 9728, RFC 6750), which asks valetkey about every token (RFC 7662).

The SDK wants the same scopes for all; that one tool wants another is said by a layer before it, as the MCP
specification has it: 403, insufficient_scope, and the scopes that would do.
"""

import json
import sys
from typing import Any

import httpx2
import uvicorn
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

config = json.loads(sys.argv[1])
ORIGIN = f"http://127.0.0.1:{config['port']}"
RESOURCE = ORIGIN + "/mcp"
WANTS = {"like": ("basic", "likes")}


class Introspection:
    """What the authorization server says of a token; only one meant for this resource is let in (RFC 8707)."""

    async def verify_token(self, token: str) -> AccessToken | None:
        async with httpx2.AsyncClient() as http:
            answer = await http.post(
                config["base"] + "/oauth/introspect",
                data={"token": token, "token_type_hint": "access_token"},
                auth=(config["client_id"], config["client_secret"]),
            )
        said = answer.raise_for_status().json()
        if not said["active"]:
            return None
        audience = said.get("aud", [])
        meant = RESOURCE in ([audience] if isinstance(audience, str) else audience)
        return AccessToken(
            token=token,
            client_id=said["client_id"],
            scopes=said["scope"].split(),
            expires_at=said["exp"],
            resource=RESOURCE if meant else None,
            subject=said["sub"],
            claims=said,
        )


tokens = Introspection()
server = MCPServer(
    "interop",
    token_verifier=tokens,
    auth=AuthSettings(
        issuer_url=config["base"],
        resource_server_url=RESOURCE,
        required_scopes=["basic"],
        validate_token_resource=True,
    ),
)


@server.tool()
def whoami() -> str:
    """Who has let the caller in; the caller itself, if it acts for nobody."""
    token = get_access_token()
    assert token is not None and token.claims is not None
    return str(token.claims.get("username", token.client_id))


@server.tool()
def like() -> str:
    """Something that wants one scope more."""
    return "liked"


class StepUp:
    """403 for a tool whose scopes the token does not have."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        body = await whole(receive)
        wanted = WANTS.get(tool_called(body), ())
        scheme, _, shown = dict(scope["headers"]).get(b"authorization", b"").decode().partition(" ")
        token = await tokens.verify_token(shown) if wanted and scheme.lower() == "bearer" else None
        if token is not None and not set(wanted) <= set(token.scopes):
            return await challenge(send, wanted)
        await self.app(scope, again(body, receive), send)


def tool_called(body: bytes) -> str:
    """The tool a JSON-RPC message calls, if it calls one."""
    message: Any = json.loads(body or b"{}")
    calls = isinstance(message, dict) and message.get("method") == "tools/call"
    return str(message["params"]["name"]) if calls else ""


async def challenge(send: Send, wanted: tuple[str, ...]) -> None:
    """RFC 6750 3.1, with where the metadata of this resource is (RFC 9728 5.1)."""
    words = (
        f'Bearer error="insufficient_scope", scope="{" ".join(wanted)}", '
        f'resource_metadata="{ORIGIN}/.well-known/oauth-protected-resource/mcp"'
    )
    headers = [(b"www-authenticate", words.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def whole(receive: Receive) -> bytes:
    """The body of a request."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read once more."""
    first = [True]

    async def told() -> Message:
        if first.pop() if first else False:
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return told


uvicorn.run(StepUp(server.streamable_http_app()), host="127.0.0.1", port=config["port"], log_level="warning")
