"""The guide's MCP server as it is printed, in a process of its own, and an agent that knows nothing but its address."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from tests.cli.serving import Serving
from tests.flows.browser import Browser
from tests.flows.today import PKCE, VERIFIER
from tests.house import PASSWORD, parameters
from tests.program import VALETKEY, Program, free_port

GUIDE = (Path(__file__).parents[2] / "docs/guides/mcp.md").read_text()
CALLBACK = "http://127.0.0.1:9/callback"


def printed(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mcp")


@pytest.fixture(scope="module")
def environment(place: Path) -> dict[str, str]:
    return os.environ | {"VALETKEY_DATABASE": f"sqlite:///{place}/valetkey.db"}


@pytest.fixture(scope="module")
def notes(place: Path, environment: dict[str, str]) -> Iterator[str]:
    """valetkey and the MCP server, set up as the guide says; the address of the latter."""

    def valetkey(*words: str, said: str = "") -> str:
        command = [VALETKEY, *words]
        done = subprocess.run(
            command, env=environment, input=said, capture_output=True, text=True, check=True
        )
        return done.stdout

    valetkey("users", "add", "alice", "--full-name", "Alice", "--password-stdin", said=PASSWORD)
    made = valetkey(*shlex.split(printed("sh")[0])[1:])
    client_id, secret = (re.search(rf"{name} +(\S+)", made)[1] for name in ("client_id", "client_secret"))
    ours, theirs = free_port(), free_port()
    uri, issuer = f"http://127.0.0.1:{theirs}/mcp", f"http://127.0.0.1:{ours}"
    config = printed("toml")[0].replace("the client_id that was printed", client_id)
    (place / "valetkey.toml").write_text(config.replace("http://127.0.0.1:9000/mcp", uri))
    (place / "notes.py").write_text(printed("python")[0])
    with Serving(
        environment["VALETKEY_DATABASE"],
        *("--config", str(place / "valetkey.toml"), "--port", str(ours), "--issuer", issuer),
    ):
        env = {
            "ISSUER": issuer,
            "RESOURCE": uri,
            "PORT": str(theirs),
            "CLIENT_ID": client_id,
            "CLIENT_SECRET": secret,
        }
        server = Program(theirs, sys.executable, place / "notes.py", env=os.environ | env)
        server.ready()
        yield uri
        server.stop()


def call(http: httpx2.Client, uri: str, token: str | None, method: str, **params: Any) -> httpx2.Response:
    """One JSON-RPC request, as MCP has it."""
    said = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return http.post(uri, json=said, headers={} if token is None else {"authorization": f"Bearer {token}"})


def challenge(answer: httpx2.Response) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["www-authenticate"]))


async def let_in(place: dict[str, Any], client_id: str, resource: str, scope: str) -> dict[str, Any]:
    """Through login and confirmation screen to a token."""
    asked = {"client_id": client_id, "redirect_uri": CALLBACK, "response_type": "code", "resource": resource}
    async with httpx2.AsyncClient(trust_env=False) as http:
        browser = Browser(place["issuer"], http)
        page = await browser.open(
            f"{place['authorization_endpoint']}?{urlencode(asked | PKCE | {'scope': scope})}"
        )
        page = await browser.login(page, "alice", PASSWORD)
        page = await browser.consent(page, "allow")
        assert page.left is not None, page.text
        fields = {
            "grant_type": "authorization_code",
            "code": parameters(page.left)["code"],
            "client_id": client_id,
        }
        fields |= {"code_verifier": VERIFIER, "resource": resource}
        answer = await http.post(place["token_endpoint"], data=fields)
        found: dict[str, Any] = answer.json()
        return found


async def test_an_agent_finds_its_way_in_and_steps_up(notes: str) -> None:
    with httpx2.Client(trust_env=False) as http:
        first = call(http, notes, None, "initialize", protocolVersion="2025-11-25")
        assert first.status_code == 401 and challenge(first)["scope"] == "basic"
        resource = http.get(challenge(first)["resource_metadata"]).json()
        assert resource["resource"] == notes and resource["scopes_supported"] == ["basic", "likes"]
        [issuer] = resource["authorization_servers"]
        server = http.get(f"{issuer}/.well-known/oauth-authorization-server").json()
        assert server["issuer"] == issuer and server["client_id_metadata_document_supported"] is True
        said = {"redirect_uris": [CALLBACK], "client_name": "Agent", "token_endpoint_auth_method": "none"}
        made = http.post(server["registration_endpoint"], json=said)
        client_id = made.json()["client_id"]

        token = (await let_in(server, client_id, notes, "basic"))["access_token"]
        told = call(http, notes, token, "initialize", protocolVersion="2025-11-25").json()["result"]
        assert told["protocolVersion"] == "2025-11-25"
        tools = call(http, notes, token, "tools/list").json()["result"]["tools"]
        assert [tool["name"] for tool in tools] == ["whoami", "like"]
        who = call(http, notes, token, "tools/call", name="whoami").json()["result"]
        assert who["content"][0]["text"] == "alice"

        more = call(http, notes, token, "tools/call", name="like")
        assert (more.status_code, challenge(more)["error"]) == (403, "insufficient_scope")
        assert challenge(more)["scope"] == "basic likes"
        token = (await let_in(server, client_id, notes, challenge(more)["scope"]))["access_token"]
        liked = call(http, notes, token, "tools/call", name="like").json()["result"]
        assert liked["content"][0]["text"] == "liked"

        elsewhere = await let_in(server, client_id, issuer, "basic")
        assert call(http, notes, elsewhere["access_token"], "tools/list").status_code == 401
        gone = http.post(server["revocation_endpoint"], data={"token": token, "client_id": client_id})
        assert gone.status_code == 200
        assert call(http, notes, token, "tools/list").status_code == 401


def test_what_else_the_guide_prints_can_be_imported() -> None:
    for block in printed("python"):
        compile(block, "mcp.md", "exec")
    exec(re.search(r"from valetkey.resource import SignedTokens", printed("python")[1])[0])  # it is there
