"""Names are types of their own, so that a PoP cannot be passed where a host is meant."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

PopName = NewType("PopName", str)
HostName = NewType("HostName", str)
UplinkName = NewType("UplinkName", str)
ProviderName = NewType("ProviderName", str)
ServiceName = NewType("ServiceName", str)
GroupName = NewType("GroupName", str)
NameserverName = NewType("NameserverName", str)

# The group of every client that no source lists; its answer is the anycast address.
EVERYONE_ELSE = GroupName("default")


class Family(StrEnum):
    """An address family, as the contract spells it."""

    V4 = "v4"
    V6 = "v6"


class Role(StrEnum):
    """What a PoP host does: speak BGP, answer DNS, or both."""

    BGP = "bgp"
    DNS = "dns"
