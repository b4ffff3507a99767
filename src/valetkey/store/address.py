"""The address of a database: which engine, and where it is, which may be several places."""

import re
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from msgspec import Struct

WRITES = ("read-write", "primary")


class Address(Struct, frozen=True):
    """`place` is a file's path for sqlite and an address without our own options for postgresql.

    `others` are the same database on other hosts, of which one may be the primary some day.
    """

    engine: str
    place: str = ""
    pgbouncer: bool = False
    others: tuple[str, ...] = ()


def parse(url: str) -> Address:
    """Read `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://...` or `memory://`. Raises ValueError.

    PostgreSQL's address may name several hosts, as libpq has it: `//a:1,b:2/name` or `///name?host=a,b&port=1,2`.
    """
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return Address("memory")
    if re.fullmatch(r"sqlite:///[^?#]+", url, re.IGNORECASE):
        return Address("sqlite", unquote(parts.path[1:]))
    if parts.scheme in ("postgresql", "postgres"):
        options = dict(parse_qsl(parts.query))
        pgbouncer = options.pop("pgbouncer", "0") in ("1", "true")
        if options.pop("target_session_attrs", WRITES[0]) not in WRITES:
            raise ValueError("target_session_attrs can only be read-write: every valetkey writes")
        first, *others = _places(parts, options)
        return Address("postgresql", first, pgbouncer, tuple(others))
    raise ValueError(
        "a database's address is sqlite:///relative.db, sqlite:////absolute.db, postgresql://user@host/name or memory://"
    )


def _places(parts: SplitResult, options: dict[str, str]) -> list[str]:
    """An address for each host that one address names. Raises ValueError."""
    who, at, named = parts.netloc.rpartition("@")
    if "," in named:
        return [_place(parts, f"{who}{at}{host}", options) for host in named.split(",")]
    hosts, ports = options.get("host", "").split(","), options.get("port", "").split(",")
    if len(hosts) == 1:
        return [_place(parts, parts.netloc, options)]
    if len(ports) not in (1, len(hosts)):
        raise ValueError(f"{len(hosts)} hosts are named with {len(ports)} ports")
    ports = ports if len(ports) > 1 else ports * len(hosts)
    each = [{"host": host, "port": port} for host, port in zip(hosts, ports, strict=True)]
    return [_place(parts, parts.netloc, {k: v for k, v in (options | one).items() if v}) for one in each]


def _place(parts: SplitResult, netloc: str, options: dict[str, str]) -> str:
    query = "?" + urlencode(options, safe="/") if options else ""
    return f"{parts.scheme}://{netloc}{parts.path}{query}"
