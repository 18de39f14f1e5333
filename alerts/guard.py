"""Which addresses a webhook may be sent to, judged after the name was resolved.

Whoever creates a webhook chooses a name; without this, the name could point into the operator's own network (server-side
request forgery, Standard Webhooks 1.0.0). The name is resolved once and the connection goes to the address that was judged,
so a second answer of the name server (DNS rebinding) is never asked for.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

import msgspec

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Name and port to addresses as text; raises OSError when the name has none."""

ADDRESSES_MAX = 3
"""Addresses of one name that are tried. Chosen: one of each family and a spare, within one attempt's time."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the IPv4 address is the last 32 bits
_IPV4_COMPATIBLE = ipaddress.IPv6Network("::/96")  # RFC 4291 section 2.5.5.1, deprecated: no honest name has one
_REFUSED_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890
        "192.88.99.0/24",  # 6to4 relays, deprecated by RFC 7526
        "198.18.0.0/15",  # benchmarking, RFC 2544
        "64:ff9b:1::/48",  # local-use NAT64, RFC 8215
        "fec0::/10",  # site-local, deprecated by RFC 3879
    )
)


class Refused(msgspec.Struct, frozen=True):
    """The name must not or cannot be called: `code` is `address_forbidden`, `name_unknown`; `detail` is for people."""

    code: str
    detail: str


def is_public(address: Address) -> bool:
    """Whether an address is on the public internet and names one host there.

    False for private, loopback, link-local, multicast, unspecified, reserved, documentation and carrier-grade NAT addresses
    (IANA special-purpose registries, as `ipaddress` has them, and `_REFUSED_NETWORKS`), and for IPv6 forms that carry such an
    IPv4 address (mapped, NAT64, 6to4) or hide where it leads (Teredo, IPv4-compatible).
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.teredo is not None or address in _IPV4_COMPATIBLE:
            return False
        carried = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            carried = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if carried is not None:
            return is_public(carried)
    if address.is_multicast or address.is_reserved or address.is_link_local or not address.is_global:
        return False
    return not any(address in network for network in _REFUSED_NETWORKS if network.version == address.version)


async def resolve(host: str, port: int) -> list[str]:
    """Addresses of a host by the system's resolver. Raises OSError when it has none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def addresses_of(host: str, port: int, *, allow_private: bool, resolver: Resolver = resolve) -> list[str] | Refused:
    """Where a host may be reached: at most `ADDRESSES_MAX` addresses, resolved once, each of them judged.

    One forbidden address refuses the whole name: a name that is public and private at once is an attack or a mistake.
    """
    try:
        found = await resolver(host, port)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label no name server could be asked for
        return Refused("name_unknown", f"{host}: {error}")
    if not found:
        return Refused("name_unknown", f"{host}: no address")
    if not allow_private:
        for text in found:
            if not is_public(ipaddress.ip_address(text)):
                return Refused("address_forbidden", f"{host} is {text}, which is not public")
    return found[:ADDRESSES_MAX]
