"""Prefix arithmetic of the more-specific ladder: halves, quarters, service and witness addresses.

Prefixes and addresses travel and are stored as canonical text (``198.18.0.0/22``), because text
is what BGP, DNS and people exchange; arithmetic goes through :mod:`ipaddress` and is cached.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from ambicast.model.identifiers import Family

# The Internet accepts nothing longer (RIPE Labs 2017; RFC 7454 section 6.1.3), and neither do the
# lab's transits.
ROUTABLE_FLOOR = {Family.V4: 24, Family.V6: 48}

# Service addresses are low in a prefix and witnesses high enough never to meet them.
_WITNESS_BASE = {Family.V4: 200, Family.V6: 0x1000}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class PrefixError(ValueError):
    """The text is no prefix or address; the message says what is allowed."""


@lru_cache(maxsize=65536)
def network(prefix: str) -> Network:
    """The parsed form of ``prefix``; host bits must be zero."""
    try:
        return ipaddress.ip_network(prefix)
    except ValueError as fault:
        message = f"{prefix!r} is not a prefix: {fault}"
        raise PrefixError(message) from None


@lru_cache(maxsize=65536)
def address(text: str) -> Address:
    """The parsed form of an address."""
    try:
        return ipaddress.ip_address(text)
    except ValueError as fault:
        message = f"{text!r} is not an address: {fault}"
        raise PrefixError(message) from None


def family(text: str) -> Family:
    """The family of a prefix or address in canonical text."""
    return Family.V6 if ":" in text else Family.V4


def length(prefix: str) -> int:
    """The prefix length."""
    return network(prefix).prefixlen


def contains(outer: str, inner: str) -> bool:
    """Whether the prefix ``outer`` covers the prefix or address ``inner`` (or is equal to it)."""
    if family(outer) is not family(inner):
        return False
    whole = network(outer)
    if "/" not in inner:
        return address(inner) in whole
    part = network(inner)
    return part.prefixlen >= whole.prefixlen and part.network_address in whole


@lru_cache(maxsize=65536)
def split(prefix: str, depth: int) -> tuple[str, ...]:
    """The ``2**depth`` parts of ``prefix``; depth 1 gives the halves, 2 the quarters.

    Parts longer than the routable floor do not travel: then the answer is empty, and the caller
    must do without this rung of the ladder.
    """
    whole = network(prefix)
    longer = whole.prefixlen + depth
    if longer > ROUTABLE_FLOOR[family(prefix)]:
        return ()
    return tuple(str(part) for part in whole.subnets(new_prefix=longer))


def host(prefix: str, number: int) -> str:
    """The address at offset ``number`` in ``prefix``."""
    whole = network(prefix)
    if number >= whole.num_addresses:
        message = f"host {number} lies outside {prefix}"
        raise PrefixError(message)
    return str(whole.network_address + number)


@lru_cache(maxsize=65536)
def witness(prefix: str) -> str:
    """The witness address of a steered prefix.

    A PoP terminates it only while it advertises exactly this prefix, so an authenticated answer
    from it proves that the prefix leads there. The offset contains the prefix length: a prefix
    and its lower half start at the same address and must not share a witness.
    """
    return host(prefix, _WITNESS_BASE[family(prefix)] + length(prefix))
