"""Stands where the origin service stood: clients that have its address written into their code reach valetkey here.

An HTTP proxy that takes CONNECT for that one address, ends TLS itself, and relays each request to the server, as a
reverse proxy in front of it would. It keeps a list of what it was asked.
"""

import http.client
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "api.instagram.com"
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "host", "content-length"}


class Relay(BaseHTTPRequestHandler):
    """One client's connection, already decrypted: each request goes on to the server."""

    protocol_version = "HTTP/1.1"
    server: "OriginHost"

    def relay(self) -> None:
        self.server.asked.append(f"{self.command} https://{HOST}{self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream_port, timeout=20)
        try:
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
            content = answer.read()
        finally:
            upstream.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = relay

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: `asked` holds what a test may want to know."""


class Proxy(BaseHTTPRequestHandler):
    """What HTTPS_PROXY names."""

    server: "OriginHost"

    def do_CONNECT(self) -> None:
        if self.path != f"{HOST}:443":
            self.send_error(403, f"only {HOST} stands here")
            return
        self.send_response_only(200)
        self.end_headers()
        with self.server.tls.wrap_socket(self.connection, server_side=True) as decrypted:
            Relay(decrypted, self.client_address, self.server)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: `asked` holds what a test may want to know."""


class OriginHost(ThreadingHTTPServer):
    """Listens on a free port from the start; `environment` leads a client here."""

    daemon_threads = True

    def __init__(self, certificate: Path, authority: Path, upstream_port: int) -> None:
        super().__init__(("127.0.0.1", 0), Proxy)
        self.upstream_port = upstream_port
        self.asked: list[str] = []
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate)
        url = f"http://127.0.0.1:{self.server_port}"
        self.environment = {
            "HTTPS_PROXY": url,
            "REQUESTS_CA_BUNDLE": str(authority),
            "NODE_EXTRA_CA_CERTS": str(authority),
        }
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
