"""Apps that register nowhere: their client_id is the address of a document that they publish (CIMD)."""

import json
from typing import Any

from tests.flows.today import PKCE
from tests.house import SITE, App
from tests.publisher import Publisher, document
from valetkey.protocol.model import NOBODY, Client
from valetkey.settings import RegistrationSettings

HERE = "http://127.0.0.1:9/callback"
ELSEWHERE = "https://agent.example/callback"
ASKED = PKCE | {"resource": SITE}
HERE_TOO = RegistrationSettings(
    allow_hosts=("localhost",)
)  # the exception for localhost is for strangers, too


def described(site: Publisher, path: str = "/agent.json", **more: Any) -> dict[str, Any]:
    said = {"client_id": site.url(path), "client_name": "Agent", "redirect_uris": [HERE, ELSEWHERE]} | more
    return {name: value for name, value in said.items() if value is not None}


def publish(site: Publisher, path: str = "/agent.json", *headers: str, **more: Any) -> App:
    """An app as its publisher knows it."""
    said = described(site, path, **more)
    site.say(path, document(json.dumps(said).encode(), "application/json", *headers))
    client = Client(site.url(path), NOBODY, "", "native", "mcp", tuple(said.get("redirect_uris", ())), 0)
    return App(client, None)
