"""Network addresses as limits count them: whose they are, and which are our own proxies (J13)."""

import ipaddress
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address(text: str) -> Address | None:
    """An IP address, or None for anything else; an IPv4 address in IPv6 clothes is the IPv4 one."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


@lru_cache(maxsize=4096)
def neighbourhood(text: str) -> str | None:
    """What one party can be told by: the IPv4 address, or the /64 of an IPv6 one; None for what is no address."""
    found = address(text)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((found, 64), strict=False))
    return str(found) if found else None


@lru_cache(maxsize=4096)
def within(text: str, networks: tuple[str, ...]) -> bool:
    """Whether the text is an address in one of these networks."""
    found = address(text)
    return found is not None and any(found in network for network in parsed(networks))


@lru_cache(maxsize=16)
def parsed(networks: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks of the settings, which settings/checks.py has checked."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in networks)
