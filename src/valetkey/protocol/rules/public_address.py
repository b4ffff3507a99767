"""Is this an address of the public internet, so that the server may call it for a stranger? (RFC 6890, RFC 4291)"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# lists of our own: what Python calls global changes with its versions
NOT_PUBLIC = tuple(
    map(
        IPv4Network,
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24"
        " 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3".split(),
    )
)
GLOBAL_UNICAST = IPv6Network("2000::/3")
# within it, what leads elsewhere or nowhere: RFC 2928 and 4380 (Teredo), 3849, 3056 (6to4), 9637
SPECIAL = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
NAT64 = IPv6Network("64:ff9b::/96")  # how an IPv6-only network spells an IPv4 address (RFC 6052 2.1)


def is_public(text: str) -> bool:
    """Whether anybody on the internet would reach the same host here. What is no address is not public."""
    try:
        found = ip_address(text)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return is_public_v4(found)
    if found in NAT64:
        return is_public_v4(IPv4Address(int(found) & 0xFFFFFFFF))
    return is_public_v6(found)


def is_public_v4(found: IPv4Address) -> bool:
    """Not private, shared, loopback, link-local (where clouds keep their metadata), multicast or reserved."""
    return not any(found in block for block in NOT_PUBLIC)


def is_public_v6(found: IPv6Address) -> bool:
    """Global unicast only: so no IPv4 address in IPv6 clothes, no local or link-local one, no multicast."""
    return found.scope_id is None and found in GLOBAL_UNICAST and not any(found in block for block in SPECIAL)
