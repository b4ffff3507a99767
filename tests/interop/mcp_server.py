"""The MCP server that drivers/mcp_resource.py is, in a process of its own, with its own credentials at valetkey."""

import json
from urllib.parse import urlsplit

from tests.interop import environments
from tests.interop.valetkey_server import Resource
from tests.program import Program

RESOURCE = environments.HERE / "drivers" / "mcp_resource.py"


class McpServer(Program):
    """http://127.0.0.1:PORT/mcp, whose tokens valetkey gives out."""

    def __init__(self, base: str, resource: Resource) -> None:
        self.uri = resource.uri
        port = urlsplit(self.uri).port or 80
        config = {
            "port": port,
            "base": base,
            "client_id": resource.client_id,
            "client_secret": resource.client_secret,
        }
        super().__init__(port, str(environments.python_clients_of_today()), RESOURCE, json.dumps(config))
        self.ready("/.well-known/oauth-protected-resource/mcp")
