"""Apache with mod_oauth2 in front of a small app: who gets past the gate is the module's word, not ours."""

import http.client
import json
import os
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.program import Program, free_port

MODULES = Path("/usr/lib/apache2/modules")
LOADED = ("mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", "oauth2")
CLAIMS = "OAUTH2_CLAIM_"
CONFIG = """
ServerRoot {place}
DefaultRuntimeDir {place}
PidFile {place}/apache.pid
ErrorLog {place}/error.log
LogLevel warn oauth2:debug
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
StartServers 1
ProxyPass / http://127.0.0.1:{app}/
{modules}
{user}
{locations}
"""
LOCATION = """
<Location /{name}>
    AuthType oauth2
    OAuth2TokenVerify {verify}
    OAuth2TargetPass remote_user_claim={remote_user}
    {require}
</Location>
"""


@dataclass(frozen=True)
class Gate:
    """One part of the site: how its tokens are verified, which claim names the person, and what is required."""

    name: str
    verify: str
    remote_user: str = "sub"
    require: str = "Require valid-user"


class App(BaseHTTPRequestHandler):
    """What stands behind Apache: it tells which claims came in."""

    def do_GET(self) -> None:
        claims = {
            name[len(CLAIMS) :]: value for name, value in self.headers.items() if name.startswith(CLAIMS)
        }
        body = json.dumps(claims).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Apache(Program):
    """`apache2` on a free port with one configuration file, in the foreground."""

    def __init__(self, place: Path, gates: list[Gate]) -> None:
        port = free_port()
        self._app = ThreadingHTTPServer(("127.0.0.1", 0), App)
        threading.Thread(target=self._app.serve_forever, daemon=True).start()
        config = place / "apache.conf"
        config.write_text(
            CONFIG.format(
                place=place,
                port=port,
                app=self._app.server_port,
                modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED),
                user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
                locations="".join(LOCATION.format(**vars(gate)) for gate in gates),
            )
        )
        super().__init__(port, "apache2", "-f", config, "-D", "FOREGROUND")
        self.log = place / "error.log"
        self.ready()

    def get(self, gate: str, token: str | None) -> tuple[int, dict[str, str], str]:
        """Status, the claims that reached the app, and the challenge if there was one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            connection.request("GET", f"/{gate}", headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            claims = json.loads(body) if answer.status == 200 else {}
            return answer.status, claims, answer.headers.get("WWW-Authenticate", "")
        finally:
            connection.close()

    def stop(self) -> None:
        self._app.shutdown()
        self._app.server_close()
        super().stop()
