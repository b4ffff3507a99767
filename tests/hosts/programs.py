"""Debian's nginx and PgBouncer in a temporary folder, with the configuration that docs/guides/many-hosts.md shows."""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.program import Program
from tests.throwaway_postgres import ThrowawayPostgres

GUIDE = Path(__file__).parents[2] / "docs/guides/many-hosts.md"


def block(language: str, guide: Path = GUIDE) -> str:
    """The one block of the guide in this language."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```", guide.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


def put(text: str, words: Mapping[str, str]) -> str:
    """The text with these words replaced, each of which stands there once."""
    for old, new in words.items():
        assert text.count(old) == 1, f"the guide says {text.count(old)} times {old!r}"
        text = text.replace(old, new)
    return text


def nginx(place: Path, port: int, replicas: Sequence[int]) -> Program:
    """The guide's nginx without TLS, on this port, before replicas on those."""
    site = block("nginx")
    shown = re.findall(r"    server 10\..*\n", site)
    ours = [re.sub(r"10\.\S+", f"127.0.0.1:{replica}", shown[0]) for replica in replicas]
    gone = dict.fromkeys([*shown[1:], *re.findall(r" *ssl_certificate.*\n", site)], "")
    here = {
        "listen 443 ssl": f"listen 127.0.0.1:{port}",
        "access_log /var/log/nginx/": f"access_log {place}/",
    }
    site = put(site, {shown[0]: "".join(ours), **gone, **here})
    return nginx_of(place, port, site)


def nginx_of(place: Path, port: int, site: str) -> Program:
    """An nginx with this site, that listens on this port."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {place}/nginx-{kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = place / "nginx.conf"
    config.write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {place}/nginx.pid;\nerror_log {place}/nginx.log info;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{folders}{site}}}\n"
    )
    return Program(port, "nginx", "-p", place, "-e", place / "nginx.log", "-c", config).ready()


def pgbouncer(postgres: ThrowawayPostgres, port: int) -> Program:
    """The guide's PgBouncer before this PostgreSQL; the next transaction is never on the server of the last."""
    place = Path(tempfile.mkdtemp(prefix="pgbouncer-", dir=postgres.place))
    words = {
        "valetkey = host=10.0.0.21 port=5432 dbname=valetkey": f"* = user=postgres host={postgres.place}",
        "listen_addr = 10.0.0.31": f"listen_addr = 127.0.0.1\nunix_socket_dir =\nlogfile = {place}/log",
        "listen_port = 6432": f"listen_port = {port}",
        "auth_type = scram-sha-256": "auth_type = any",
        "auth_file = /etc/pgbouncer/userlist.txt\n": "",
        "default_pool_size = 20": "default_pool_size = 5\nserver_round_robin = 1",
    }
    config = put(block("ini"), words)
    (place / "pgbouncer.ini").write_text(config)
    if "user" in postgres.who:  # PgBouncer refuses to run as root, too
        for path in (place, place / "pgbouncer.ini"):
            os.chown(path, postgres.who["user"], postgres.who["group"])
    return Program(port, "pgbouncer", "-q", place / "pgbouncer.ini", cwd=place, **postgres.who).ready()
