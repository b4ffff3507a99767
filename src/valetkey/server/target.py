"""Where a URL leads, as the server reads it: https, a name, a port for documents; and that nothing came of it (R20)."""

import ipaddress

from msgspec import Struct

from valetkey.protocol.rules import redirect_uri


class FetchFailed(Exception):
    """Nothing came of it. `reason` is for the log: told to a stranger, it would map our network for them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Target(Struct, frozen=True):
    """Where a URL leads, as the server reads it."""

    host: str
    port: int
    path: str


class Page(Struct, frozen=True):
    """What came back: the body, and how long it may be kept as its server says (RFC 9111 5.2.2)."""

    body: bytes
    cache_control: str


def target(url: str) -> Target:
    """The parts of an https URL that every parser reads alike. Raises FetchFailed.

    Ports: 443, or one that no privileged service has (1024 and up). Behind the others are mail, directories and shells,
    which have no documents for us and may take our first bytes for something else.
    """
    parts = redirect_uri.WEB.fullmatch(url) if len(url) <= redirect_uri.LONGEST else None
    if parts is None or parts[1] != "https" or not redirect_uri.plain_host(parts[2]):
        raise FetchFailed("url")
    port = int(parts[3] or 443)
    if port != 443 and not 1024 <= port < 65536:
        raise FetchFailed("port")
    path = url[parts.end(3) if parts[3] else parts.end(2) :]
    return Target(parts[2].lower().strip("[]"), port, path if path.startswith("/") else "/" + path)


def is_literal(host: str) -> bool:
    """Whether the host is an address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
