"""conformance/README.md, followed: its settings, its proxy, its setup, and clients who know the written files alone."""

import json
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.cli.serving import Serving
from tests.conformance.client import MESSAGE_SIGNING, SECURITY_PROFILE_RAR, FapiClient, Variant
from tests.flows.browser import Browser
from tests.hosts.programs import nginx_of, put
from tests.program import VALETKEY, free_port
from tests.publisher import NAMES, certified
from tests.signing import Signer
from valetkey.protocol.rules import base64url

HERE = Path(__file__).parents[2] / "conformance"
MODULE = "fapi2-security-profile-final-user-rejects-authentication"


class Now:
    """The clock on the wall."""

    @property
    def now(self) -> int:
        return int(time.time())


@dataclass
class Suite:
    """The suite's side of the wire, and the folder of files it was given."""

    issuer: str
    folder: Path
    tls: ssl.SSLContext
    opened: list[httpx2.AsyncClient] = field(default_factory=list)
    clock = Now()

    def http(self) -> httpx2.AsyncClient:
        """A client that is closed in the end."""
        made = httpx2.AsyncClient(verify=self.tls, base_url=self.issuer, trust_env=False)
        self.opened.append(made)
        return made

    def told(self, plan: str) -> dict[str, Any]:
        """The file of a plan."""
        found: dict[str, Any] = json.loads((self.folder / f"{plan}.json").read_text())
        return found

    async def client(self, plan: str, which: str, variant: Variant) -> FapiClient:
        """A client, out of nothing but the file."""
        said = self.told(plan)
        metadata = (await self.http().get(said["server"]["discoveryUrl"])).json()
        (jwk,) = said[which]["jwks"]["keys"]
        alias = "https://localhost.emobix.co.uk:8443/test/a/valetkey/callback"
        uri = alias if which == "client" else alias + "?dummy1=lorem&dummy2=ipsum"
        key = Signer(jwk["alg"], jwk["kid"], private(jwk))
        client_id = said[which]["client_id"]
        return FapiClient(self, variant, client_id, key, Signer("ES256"), metadata, uri)

    async def browser(self, steps: list[dict[str, Any]]) -> Browser:
        """A browser that has logged in with the words that are written for the suite's."""
        commands = steps[-1]["tasks"][0]["commands"]
        username, password = (command[3] for command in commands if command[0] == "text")
        browser = Browser(self.issuer, self.http())
        await browser.login(await browser.open("/accounts/login/"), username, password)
        return browser


def private(jwk: dict[str, str]) -> Any:
    """The private key of a JWK (RFC 7518 6.2.2, 6.3.2)."""
    read = {
        name: int.from_bytes(base64url.decode(jwk[name])) for name in jwk if len(name) < 3 and name != "e"
    }
    if jwk["kty"] == "EC":
        return ec.derive_private_key(read["d"], ec.SECP256R1())
    public = rsa.RSAPublicNumbers(65537, read["n"])
    return rsa.RSAPrivateNumbers(
        read["p"], read["q"], read["d"], read["dp"], read["dq"], read["qi"], public
    ).private_key()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def settings(port: int, tmp_path: Path, fresh_sqlite: Path) -> Path:
    """The settings file, with names of this machine."""
    words = {
        "https://valetkey.example:8444": f"https://localhost:{port}",
        "sqlite:///conformance.db": f"sqlite:///{fresh_sqlite}",
    }
    file = tmp_path / "valetkey.toml"
    file.write_text(put((HERE / "valetkey.toml").read_text(), words))
    return file


@pytest.fixture
def folder(settings: Path, tmp_path: Path) -> Path:
    """What the setup has written."""
    command = [VALETKEY, "conformance", "setup", tmp_path / "run", "--config", settings]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path / "run"


@pytest.fixture
async def suite(port: int, settings: Path, folder: Path, tmp_path: Path) -> AsyncIterator[Suite]:
    """The server behind the proxy."""
    certificate, key = certified(NAMES, tmp_path)
    with Serving(None, "--config", str(settings)) as server:
        words = {
            "listen 8444 ssl": f"listen 127.0.0.1:{port} ssl",
            "/etc/ssl/valetkey.example.pem": str(certificate),
            "/etc/ssl/valetkey.example.key": str(key),
            "http://127.0.0.1:8000": f"http://127.0.0.1:{server.port}",
        }
        site = (HERE / "nginx.conf").read_text().partition("http {\n")[2].rpartition("}")[0]
        front = nginx_of(tmp_path, port, put(site, words))
        made = Suite(f"https://localhost:{port}", folder, ssl.create_default_context(cafile=certificate))
        yield made
        for client in made.opened:
            await client.aclose()
        front.stop()


@pytest.mark.parametrize(
    ("plan", "variant"), [("security-profile", SECURITY_PROFILE_RAR), ("message-signing", MESSAGE_SIGNING)]
)
async def test_three_commands_are_enough(suite: Suite, plan: str, variant: Variant) -> None:
    said = suite.told(plan)
    yes = await suite.browser(said["browser"])
    no = await suite.browser(said["override"][MODULE]["browser"])
    for which in ("client", "client2"):
        client = await suite.client(plan, which, variant)
        assert client.resource == said["resource"]["resourceUrl"]
        body = await client.token(yes)
        assert await client.lives(body["access_token"])
        page = await client.decided(no, client.address(await client.pushed()), "deny")
        assert page.left is not None
        assert (await client.told(page.left))["error"] == "access_denied"
