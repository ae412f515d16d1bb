"""Whether what the controller will have to say of this fleet fits into one message each.

A message that does not fit is never sent, and whoever waits for it keeps what it has. So a fleet
that cannot be told is a fault of its file. Orders stay far below: ``max_prefixes`` bounds them.
"""

from __future__ import annotations

from collections.abc import Mapping

from ambicast.contract.codec import LARGEST_PAYLOAD, ContractError, encode
from ambicast.contract.messages import ClientMap, Message, Steering
from ambicast.files.document import ANY, Document, Found
from ambicast.model.clients import ClientGroup
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import EVERYONE_ELSE, GroupName

# The longest addresses there are, one of each family.
_ADDRESSES = ("255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
# Stamp and reason, at their longest, beside what is counted here.
_MARGIN = 4096


def check_sizes(document: Document, fleet: Fleet) -> None:
    """Adds a fault at the client files where the map, or the answers, would be too large."""
    places = list(document.find("clients", "sources", ANY, "file"))
    if not places:
        return
    names = {str(name): each.names for name, each in fleet.services.items()}
    groups = {str(name): each.prefixes for name, each in fleet.clients.items()}
    client_map = ClientMap(zone=fleet.zone, names=names, groups=groups)
    _check(document, places[0], client_map, _amount(fleet.clients))
    answers = dict.fromkeys((*groups, str(EVERYONE_ELSE)), _ADDRESSES)
    steering = Steering(ttl=fleet.timing.ttl, answers=dict.fromkeys(names, answers))
    what = f"{len(names)} services for {len(groups)} client groups"
    _check(document, places[0], steering, what)


def _check(document: Document, place: Found, message: Message, what: str) -> None:
    try:
        fits = len(encode(message)) + _MARGIN <= LARGEST_PAYLOAD
    except ContractError:
        fits = False
    if not fits:
        allowed = (
            f"what a message of {LARGEST_PAYLOAD} bytes can hold (fewer, or larger, prefixes)"
        )
        document.fault(place, what, allowed)


def _amount(clients: Mapping[GroupName, ClientGroup]) -> str:
    prefixes = sum(len(each.prefixes) for each in clients.values())
    return f"{prefixes} client prefixes in {len(clients)} groups"
