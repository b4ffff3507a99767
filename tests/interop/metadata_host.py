"""A site of an app on the web, over TLS: it publishes client-id metadata documents for the server to fetch."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Documents(BaseHTTPRequestHandler):
    """GET a document."""

    server: "MetadataHost"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        document = self.server.documents.get(self.path)
        body = json.dumps(document).encode()
        self.send_response_only(200 if document is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: `asked` holds what a test may want to know."""


class MetadataHost(ThreadingHTTPServer):
    """https://localhost:PORT, with the certificate it is given."""

    def __init__(self, certificate: Path, authority: Path) -> None:
        super().__init__(("127.0.0.1", 0), Documents)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.authority = authority
        self.documents: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def publish(self, name: str, **metadata: Any) -> str:
        """A document that names its own address as client_id, as it must; that address."""
        url = f"https://localhost:{self.server_port}/{name}"
        self.documents[f"/{name}"] = {"client_id": url, **metadata}
        return url

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
