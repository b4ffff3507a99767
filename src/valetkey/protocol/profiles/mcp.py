"""mcp: as oauth21, and every request names the server it is for: agents meet servers unknown to us (MCP, RFC 8707)."""

from dataclasses import replace

from valetkey.protocol.profiles.oauth21 import OAUTH21

MCP = replace(OAUTH21, name="mcp", resources="must", redirect_named=True)
