"""The MCP Python SDK as an AI agent has it: told where an MCP server is, and nothing about who lets it in."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import dialogue
import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)


class Memory:
    """What the app keeps, here only while it runs; and every token it was ever given."""

    def __init__(self) -> None:
        self.given: list[OAuthToken] = []
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.given[-1] if self.given else None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.given.append(tokens)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


async def main() -> None:
    config = dialogue.config()
    memory, visited, landed = Memory(), [], []

    async def out(url: str) -> None:
        visited.append(url)
        landed.append(await asyncio.to_thread(dialogue.visit, url))

    async def back() -> AuthorizationCodeResult:
        answer = {name: values[0] for name, values in parse_qs(urlsplit(landed[-1]).query).items()}
        return AuthorizationCodeResult.model_validate(answer)

    provider = OAuthClientProvider(
        config["resource"],
        OAuthClientMetadata(redirect_uris=[config["redirect_uri"]], client_name="Interop agent"),
        memory,
        out,
        back,
        client_metadata_url=config.get("client_metadata_url"),
    )
    found = {}
    async with (
        httpx2.AsyncClient(auth=provider) as http,
        Client(streamable_http_client(config["resource"], http_client=http)) as client,
    ):

        async def call(tool: str) -> str:
            return (await client.call_tool(tool)).content[0].text

        found["whoami"] = await call("whoami")
        found["like"] = await call("like")
        provider.context.token_expiry_time = 1  # an hour later
        found["later"] = await call("whoami")
    dialogue.finish(
        **found,
        visited=visited,
        client=memory.client.model_dump(mode="json", exclude_none=True),
        tokens=[token.model_dump(mode="json") for token in memory.given],
    )


asyncio.run(main())
