"""Set up glewlwyd (Debian) in the working folder: glewlwyd.py PORT. Leaves glewlwyd.conf and its SQLite file there."""

import contextlib
import gzip
import http.cookiejar
import json
import re
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

BROWSERS = 8
SHARE, CONFIG = Path("/usr/share/doc/glewlwyd/database"), Path("/etc/glewlwyd/glewlwyd.conf")
PLUGIN = {
    "jwt-type": "sha",
    "jwt-key-size": "256",
    "key": "a-secret-of-this-bench-only",
    "access-token-duration": 3600,
    "refresh-token-duration": 86400,
    "code-duration": 600,
    "refresh-token-rolling": True,
    "auth-type-code-enabled": True,
    "auth-type-implicit-enabled": False,
    "auth-type-password-enabled": False,
    "auth-type-client-enabled": True,  # or no client may introspect
    "auth-type-refresh-enabled": True,
    "introspection-revocation-allowed": True,
    "introspection-revocation-allow-target-client": True,
    "introspection-revocation-auth-scope": [],
    "scope": [{"name": "read", "refresh-token-rolling": True}],
}
CLIENT = {
    "client_id": "bench",
    "name": "bench",
    "confidential": True,
    "enabled": True,
    "password": "bench-secret",
    "redirect_uri": ["https://rp.test/cb"],
    "authorization_type": ["code", "refresh_token", "client_credentials"],
    "scope": ["read"],
}


def fill_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(gzip.decompress((SHARE / "init.sqlite3.sql.gz").read_bytes()).decode())
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def write_config(port: str, database: Path) -> None:
    """Debian's file with its places changed."""
    own = {
        "port": port,
        "bind_address": '"127.0.0.1"',
        "external_url": f'"http://127.0.0.1:{port}/"',
        "log_mode": '"console"',
        "log_level": '"ERROR"',
    }
    changed = "|".join([*own, "cookie_domain", "@include"])
    lines = [line for line in CONFIG.read_text().splitlines() if not re.match(rf"({changed})\b", line)]
    lines += [f"{name}={value}" for name, value in own.items()]
    lines.append(f'database = {{ type = "sqlite3"; path = "{database}"; }};')
    Path("glewlwyd.conf").write_text("\n".join(lines) + "\n")


class Api:
    """Its administration, as its own pages use it."""

    def __init__(self, port: str) -> None:
        self.base = f"http://127.0.0.1:{port}/api"
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)

    def post(self, path: str, content: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, json.dumps(content).encode(), headers)
        self.browser.open(request, timeout=10).close()

    def log_in(self) -> None:
        for _ in range(200):
            with contextlib.suppress(OSError):
                return self.post("/auth/", {"username": "admin", "password": "password"})
            time.sleep(0.05)
        raise RuntimeError("glewlwyd did not start")

    def fill(self) -> None:
        about = {"display_name": "read", "description": "read", "password_required": False}
        self.post("/scope/", {"name": "read", **about, "password_max_age": 0, "scheme": {}})
        module = {"module": "oauth2-glewlwyd", "name": "glwd", "display_name": "OAuth 2"}
        self.post("/mod/plugin/", {**module, "parameters": PLUGIN})
        self.post("/client/?source=database", CLIENT)
        for number in range(BROWSERS):
            name = {"username": f"user{number}", "name": f"User {number}", "email": f"user{number}@rp.test"}
            rest = {"password": f"password{number}", "scope": ["read", "g_profile"], "enabled": True}
            self.post("/user/?source=database", {**name, **rest})


def main(port: str) -> None:
    database = Path("glewlwyd.db").resolve()
    fill_database(database)
    write_config(port, database)
    running = subprocess.Popen(["glewlwyd", "-c", "glewlwyd.conf"])
    try:
        api = Api(port)
        api.log_in()
        api.fill()
    finally:
        running.terminate()
        running.wait(20)


if __name__ == "__main__":
    main(sys.argv[1])
