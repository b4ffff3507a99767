"""The MCP Python SDK in a program that acts for itself: client_credentials, with a secret or by private_key_jwt."""

import asyncio
from typing import Any

import dialogue
import httpx2
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

config = dialogue.config()


class Memory:
    """What the app keeps, here only while it runs."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    async def get_tokens(self) -> Any:
        return self.kept.get("tokens")

    async def set_tokens(self, tokens: Any) -> None:
        self.kept["tokens"] = tokens

    async def get_client_info(self) -> Any:
        return self.kept.get("client")

    async def set_client_info(self, client_info: Any) -> None:
        self.kept["client"] = client_info


def provider(memory: Memory) -> httpx2.Auth:
    """How the app proves who it is."""
    who = config["client_id"]
    shared = {"server_url": config["resource"], "storage": memory, "client_id": who, "issuer": config["base"]}
    if config["client_secret"]:
        return ClientCredentialsOAuthProvider(**shared, client_secret=config["client_secret"])
    signed = SignedJWTParameters(
        issuer=who, subject=who, signing_key=config["key"], signing_algorithm="ES256", lifetime_seconds=60
    )
    return PrivateKeyJWTOAuthProvider(**shared, assertion_provider=signed.create_assertion_provider())


async def main() -> None:
    memory = Memory()
    async with (
        httpx2.AsyncClient(auth=provider(memory)) as http,
        Client(streamable_http_client(config["resource"], http_client=http)) as client,
    ):
        whoami = (await client.call_tool("whoami")).content[0].text
    dialogue.finish(whoami=whoami, token=memory.kept["tokens"].model_dump(mode="json"))


asyncio.run(main())
