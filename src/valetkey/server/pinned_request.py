"""One GET over https to an address that was resolved once and is public: no redirect, no proxy, no cookie (R20)."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence

import httpx2

from valetkey.protocol.rules.public_address import is_public
from valetkey.server.target import FetchFailed, Page, Target, is_literal

LONGEST_BODY = 64 * 1024
MOST_ADDRESSES = 4
CONNECT = 2.0  # seconds for one address, so that a dead one leaves time for the next

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class PinnedRequest:
    """The way out. allow: hosts that may have a private address; such a host may also be written as an address."""

    def __init__(self, resolve: Resolve, allow: Sequence[str] = (), ca: str = "") -> None:
        self.resolve = resolve
        self.allow = frozenset(host.lower().strip("[]") for host in allow)
        self.tls = ssl.create_default_context()
        if ca:
            self.tls.load_verify_locations(ca)

    async def __call__(self, where: Target, accept: tuple[str, ...], patience: float) -> Page:
        """The document at this place, of one of these media types, within so many seconds. Raises FetchFailed."""
        try:
            async with asyncio.timeout(patience):
                addresses = await self.addresses(where)
                return await self.from_first(addresses, where, accept)
        except TimeoutError:
            raise FetchFailed("slow") from None

    async def addresses(self, where: Target) -> list[str]:
        """Where the host is, if all of it is public. Raises FetchFailed."""
        allowed = where.host in self.allow
        if is_literal(where.host) and not allowed:
            raise FetchFailed("address_literal")
        try:
            found = list(dict.fromkeys(await self.resolve(where.host, where.port)))
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise FetchFailed("host_unknown")
        if not allowed and not all(is_public(address) for address in found):
            raise FetchFailed("address_not_public")
        return found[:MOST_ADDRESSES]

    async def from_first(self, addresses: list[str], where: Target, accept: tuple[str, ...]) -> Page:
        """From the first address that takes the connection. Raises FetchFailed."""
        for address in addresses:
            try:
                return await self.from_address(address, where, accept)
            except httpx2.ConnectError as error:
                if "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise FetchFailed("certificate") from None
            except httpx2.ConnectTimeout:
                continue
            except httpx2.TransportError:
                raise FetchFailed("broken") from None
        raise FetchFailed("unreachable")

    async def from_address(self, address: str, where: Target, accept: tuple[str, ...]) -> Page:
        """The address in the place of the host; Host and TLS still speak of the host, and its certificate must.

        A connection of its own: one kept open would be found by its address, whichever host it was opened for.
        """
        url = httpx2.URL(scheme="https", host=address, port=where.port, raw_path=where.path.encode())
        name = f"[{where.host}]" if ":" in where.host else where.host
        request = httpx2.Request(
            "GET",
            url,
            headers={
                "host": name if where.port == 443 else f"{name}:{where.port}",
                "accept": ", ".join(accept),
                "accept-encoding": "identity",
                "user-agent": "valetkey",
                "connection": "close",
            },
            extensions={"sni_hostname": where.host, "timeout": {"connect": CONNECT}},
        )
        async with httpx2.AsyncHTTPTransport(verify=self.tls, trust_env=False) as transport:
            answer = await transport.handle_async_request(request)
            try:
                return await read(answer, accept)
            finally:
                await answer.aclose()


async def read(answer: httpx2.Response, accept: tuple[str, ...]) -> Page:
    """The body, if the head promises what was asked for. Raises FetchFailed."""
    if answer.status_code != 200:
        raise FetchFailed(f"status_{answer.status_code}")
    if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise FetchFailed("encoded")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in accept:
        raise FetchFailed("content_type")
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > LONGEST_BODY:
            raise FetchFailed("long")
    return Page(bytes(body), answer.headers.get("cache-control", ""))
