"""As much of the DNS wire format (RFC 1035, 4) as asking for addresses takes, with client subnet.

Written out because it is sent hundreds of times a second: a query is prebuilt bytes with two of
them replaced, an answer is read in one pass.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import Final

import msgspec

TYPE_A: Final = 1
TYPE_AAAA: Final = 28
TYPE_OPT: Final = 41
QUERY_TYPE: Final = {"v4": TYPE_A, "v6": TYPE_AAAA}
OPTION_SUBNET: Final = 8  # RFC 7871, 6
UDP_SIZE: Final = 1232
_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")


class DnsError(ValueError):
    """Bytes that are no DNS answer."""


class Answer(msgspec.Struct, frozen=True):
    """What a server said.

    Attributes:
        number: the query's id.
        ttl: seconds; the smallest of all records in the answer section, 0 where there are none.
        scope: prefix length that the answer holds for, None without a client subnet.
    """

    number: int
    rcode: int
    addresses: tuple[str, ...]
    ttl: int
    scope: int | None


def query(name: str, kind: int, *, recurse: bool, subnet: str | None = None) -> bytes:
    """A query with id 0; `subnet` is the client's prefix (RFC 7871)."""
    flags = 0x0100 if recurse else 0
    labels = name.rstrip(".").split(".")
    question = b"".join(bytes([len(label)]) + label.encode("ascii") for label in labels)
    option = _subnet_option(subnet) if subnet else b""
    opt = b"\0" + struct.pack("!HHIH", TYPE_OPT, UDP_SIZE, 0, len(option)) + option
    return _HEADER.pack(0, flags, 1, 0, 0, 1) + question + struct.pack("!BHH", 0, kind, 1) + opt


def numbered(prebuilt: bytes, number: int) -> bytes:
    """The same query with another id."""
    return number.to_bytes(2, "big") + prebuilt[2:]


def _subnet_option(subnet: str) -> bytes:
    network = ipaddress.ip_network(subnet)
    used = (network.prefixlen + 7) // 8
    family = 1 if network.version == 4 else 2
    body = struct.pack("!HBB", family, network.prefixlen, 0)
    body += network.network_address.packed[:used]
    return struct.pack("!HH", OPTION_SUBNET, len(body)) + body


def parse_answer(data: bytes) -> Answer:
    """The answer in `data`.

    Raises:
        DnsError: truncated, or no response.
    """
    try:
        return _parse(data)
    except (struct.error, IndexError, ValueError) as fault:
        raise DnsError(str(fault)) from None


def _parse(data: bytes) -> Answer:
    number, flags, questions, answers, authority, additional = _HEADER.unpack_from(data)
    if not flags & 0x8000:
        message = "not a response"
        raise DnsError(message)
    offset = _HEADER.size
    for _ in range(questions):
        offset = _after_name(data, offset) + 4
    addresses: list[str] = []
    ttl: int | None = None
    scope: int | None = None
    for place in range(answers + authority + additional):
        offset = _after_name(data, offset)
        kind, _, lifetime, length = _RECORD.unpack_from(data, offset)
        offset += _RECORD.size
        body = data[offset : offset + length]
        offset += length
        if kind == TYPE_OPT:
            scope = _scope(body)
        elif place < answers:
            ttl = lifetime if ttl is None else min(ttl, lifetime)
            if kind in (TYPE_A, TYPE_AAAA):
                addresses.append(str(ipaddress.ip_address(body)))
    return Answer(number, flags & 0xF, tuple(addresses), ttl or 0, scope)


def _after_name(data: bytes, offset: int) -> int:
    """Where the name at `offset` ends; a pointer (RFC 1035, 4.1.4) ends it."""
    while True:
        length = data[offset]
        if length == 0:
            return offset + 1
        if length & 0xC0:
            return offset + 2
        offset += 1 + length


def _scope(options: bytes) -> int | None:
    offset = 0
    while offset + 4 <= len(options):
        code, length = struct.unpack_from("!HH", options, offset)
        if code == OPTION_SUBNET and length >= 4:
            return options[offset + 7]
        offset += 4 + length
    return None
