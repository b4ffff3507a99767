"""The address of a database: which engine, and where it is."""

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from msgspec import Struct


class Address(Struct, frozen=True):
    """`place` is a file's path for sqlite and an address without our own options for postgresql."""

    engine: str
    place: str = ""
    pgbouncer: bool = False


def parse(url: str) -> Address:
    """Read `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://...` or `memory://`. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return Address("memory")
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1 and not parts.query:
        return Address("sqlite", unquote(parts.path[1:]))
    if parts.scheme in ("postgresql", "postgres"):
        options = dict(parse_qsl(parts.query))
        pgbouncer = options.pop("pgbouncer", "0") in ("1", "true")
        query = "?" + urlencode(options, safe="/") if options else ""
        return Address("postgresql", url.partition("?")[0] + query, pgbouncer)
    raise ValueError(
        "a database's address is sqlite:///relative.db, sqlite:////absolute.db, postgresql://user@host/name or memory://"
    )
