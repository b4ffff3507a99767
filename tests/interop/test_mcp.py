"""AI agents: the MCP SDKs, told where an MCP server is. Who lets them in they find out, and make themselves known."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.interop.conftest import AddApp, Drive, Stage
from tests.interop.mcp_server import McpServer
from tests.interop.metadata_host import MetadataHost
from tests.interop.valetkey_server import Account, App, ValetkeyServer
from tests.signing import Signer

REDIRECT_URI = "http://127.0.0.1:9/callback"
SDKS = ("mcp_python", "mcp_typescript")


@pytest.fixture(scope="module")
def mcp(stage: Stage) -> Iterator[McpServer]:
    running = McpServer(stage.server.base, stage.resources["mcp"])
    yield running
    running.stop()


@pytest.fixture(params=["document", "registration"])
def metadata_url(request: pytest.FixtureRequest, metadata_host: MetadataHost) -> str | None:
    """Where the agent publishes who it is, if it does; otherwise it registers (RFC 7591)."""
    if request.param == "registration":
        return None
    return metadata_host.publish(
        f"agent-{secrets.token_hex(4)}.json",
        client_name="Interop agent",
        redirect_uris=[REDIRECT_URI],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )


@pytest.mark.parametrize("sdk", SDKS)
def test_an_agent_is_let_in_and_steps_up(
    account: Account, mcp: McpServer, drive_today: Drive, metadata_url: str | None, sdk: str
) -> None:
    nobody_yet = App("", None, REDIRECT_URI)
    found = drive_today(sdk, nobody_yet, resource=mcp.uri, client_metadata_url=metadata_url)
    assert (found["whoami"], found["like"], found["later"]) == (account.username, "liked", account.username)
    if metadata_url is not None:
        assert found["client"]["client_id"] == metadata_url
    else:
        assert not found["client"]["client_id"].startswith("http")
    first, second = (parse_qs(urlsplit(url).query) for url in found["visited"])
    for asked in (first, second):
        assert asked["client_id"] == [found["client"]["client_id"]]
        assert asked["resource"] == [mcp.uri]
        assert asked["code_challenge_method"] == ["S256"]
    assert first["scope"] == ["basic"]
    assert set(second["scope"][0].split()) == {"basic", "likes"}
    given = found["tokens"]
    assert given[0]["scope"] == "basic"
    assert set(given[-1]["scope"].split()) == {"basic", "likes"}, "a refresh does not narrow what was granted"
    assert len({token["access_token"] for token in given}) == len(given)


@pytest.mark.parametrize("shows", ["secret", "signature"])
def test_a_machine_is_let_in(
    server: ValetkeyServer, mcp: McpServer, add_app: AddApp, drive_today: Drive, tmp_path: Path, shows: str
) -> None:
    app, pem = add_app(kind="service", profile="oauth21"), None
    if shows == "signature":
        key = Signer("ES256", kid="interop")
        server.has_key(app, key.jwks, tmp_path / "keys.json")
        pem = key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        app = App(app.client_id, None, app.redirect_uri)
    found = drive_today("mcp_python_machine", app, resource=mcp.uri, key=pem)
    assert found["landed"] == [], "nobody was asked"
    assert found["whoami"] == app.client_id
    assert (found["token"]["scope"], found["token"]["refresh_token"]) == ("basic", None)
