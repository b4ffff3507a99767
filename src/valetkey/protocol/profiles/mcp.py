"""mcp: as oauth21, for AI agents and what they call, who have never heard of one another (MCP, authorization)."""

from dataclasses import replace

from valetkey.protocol.profiles.oauth21 import OAUTH21

MCP = replace(OAUTH21, name="mcp")
