"""The MCP server that drivers/mcp_resource.py is, in a process of its own, with its own credentials at valetkey."""

import http.client
import json
import subprocess
import time
from urllib.parse import urlsplit

from tests.interop import environments
from tests.interop.valetkey_server import Resource

RESOURCE = environments.HERE / "drivers" / "mcp_resource.py"


class McpServer:
    """http://127.0.0.1:PORT/mcp, whose tokens valetkey gives out."""

    def __init__(self, base: str, resource: Resource) -> None:
        self.uri = resource.uri
        self._port = urlsplit(self.uri).port
        config = {
            "port": self._port,
            "base": base,
            "client_id": resource.client_id,
            "client_secret": resource.client_secret,
        }
        command = [str(environments.python_clients_of_today()), str(RESOURCE), json.dumps(config)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None, "the MCP server ended at once; its words stand above"
            assert time.monotonic() < end, "the MCP server does not answer"
            time.sleep(0.05)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", "/.well-known/oauth-protected-resource/mcp")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
