"""Whose address a request has: the peer's, or what a proxy that the host trusts says of it. Nothing is kept of it."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The addresses of one household or one phone: its provider gives it the other half.
_IPV6_PREFIX = 64

# Where containers and their proxies are: RFC 1918, RFC 6598 and RFC 4193, and the machine itself.
PRIVATE_NETWORKS = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128"),
)


def client_of(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str | None:
    """Who a client is by its address: an IPv4 address, or the first half of an IPv6 address as a network.

    `peer` is the other end of the connection, `forwarded` the X-Forwarded-For headers in their order. Each proxy adds
    the address that it sees to the right; so the client is the rightmost one that is not trusted, and it is looked for
    only if the peer itself is trusted. Whatever a client writes stands further to the left. Where a header cannot be
    read up to there, or holds trusted ones only, it is the peer. None if there is no peer with an address.
    """
    there = _parsed(peer or "")
    if there is None:
        return None
    client = there
    if _is_among(there, trusted):
        for entry in reversed(",".join(forwarded).split(",")):
            address = _parsed(entry.strip())
            if address is None:
                break
            if not _is_among(address, trusted):
                client = address
                break
    return str(client if isinstance(client, IPv4Address) else ip_network((int(client) >> 64 << 64, _IPV6_PREFIX)))


def is_trusted(peer: str | None, trusted: Sequence[Network]) -> bool:
    """Whether the other end of a connection is a proxy that the host trusts."""
    there = _parsed(peer or "")
    return there is not None and _is_among(there, trusted)


def _is_among(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _parsed(text: str) -> Address | None:
    """An address as proxies write it: alone, or with a port ("192.0.2.1:80", "[2001:db8::1]:80")."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
