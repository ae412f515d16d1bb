"""Where load goes: an anycast address, a PoP's own address, or a name.

``www.anycast.v4``, ``pop(ams).v6``, ``name:www.cdn.example`` (``name4:``/``name6:`` for one
family). Addresses are looked up in the Internet that the topology was made from.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from lab.topology.internet import ANYCAST_ADDRESS, Internet

SHAPES = ("SERVICE.anycast.v4|v6", "pop(NAME).v4|v6", "name:FQDN", "name4:FQDN", "name6:FQDN")
SERVICES = ("www",)
_ANYCAST = re.compile(r"(?P<service>[a-z0-9-]+)\.anycast\.(?P<family>v4|v6)")
_OWN = re.compile(r"pop\((?P<pop>[a-z0-9-]+)\)\.(?P<family>v4|v6)")
_NAME = re.compile(r"name(?P<family>[46]?):(?P<name>[A-Za-z0-9.-]+)")
_CATCHMENT = re.compile(r"catchment\(\s*(?P<client>[^,\s]+)\s*,\s*(?P<target>[^)]+(\)[^)]*)?)\)")


class TargetError(ValueError):
    """No such target; the text says what is allowed."""


class AddressTarget(msgspec.Struct, frozen=True, tag="address"):
    """One fixed address."""

    address: str


class NameTarget(msgspec.Struct, frozen=True, tag="name"):
    """A name, resolved by the client's own resolver; `families` in order of preference."""

    name: str
    families: tuple[Literal["v4", "v6"], ...]


Target = AddressTarget | NameTarget


class Catchment(msgspec.Struct, frozen=True):
    """The PoP that answers `client` at `target` when the scenario starts."""

    client: str
    target: Target


def parse_target(text: str, internet: Internet) -> Target:
    """The target that `text` means in `internet`.

    Raises:
        TargetError: no such shape, service or PoP.
    """
    if found := _ANYCAST.fullmatch(text):
        if found["service"] not in SERVICES:
            message = f"unknown service {found['service']!r}; allowed: {', '.join(SERVICES)}"
            raise TargetError(message)
        return AddressTarget(ANYCAST_ADDRESS[found["family"]])
    if found := _OWN.fullmatch(text):
        pops = {pop.name: pop for pop in internet.pops}
        if found["pop"] not in pops:
            message = f"unknown PoP {found['pop']!r}; allowed: {', '.join(pops)}"
            raise TargetError(message)
        return AddressTarget(pops[found["pop"]].service_address[found["family"]])
    if found := _NAME.fullmatch(text):
        one: dict[str, tuple[Literal["v4", "v6"], ...]] = {"4": ("v4",), "6": ("v6",)}
        return NameTarget(found["name"].rstrip("."), one.get(found["family"], ("v6", "v4")))
    message = f"unknown target {text!r}; allowed: {', '.join(SHAPES)}"
    raise TargetError(message)


def parse_catchment(text: str, internet: Internet) -> Catchment:
    """The meaning of ``catchment(CLIENT, TARGET)``.

    Raises:
        TargetError: another expression, or an unknown client or target.
    """
    found = _CATCHMENT.fullmatch(text.strip())
    if found is None:
        message = f"unknown expression {text!r}; allowed: catchment(CLIENT, TARGET)"
        raise TargetError(message)
    clients = [client.name for client in internet.clients]
    if found["client"] not in clients:
        message = f"unknown client {found['client']!r}; allowed: {', '.join(clients)}"
        raise TargetError(message)
    return Catchment(found["client"], parse_target(found["target"].strip(), internet))
