"""Who may say and hear what on the broker, as Mosquitto's access control list. Pure.

Users are named after hosts, so that an agent speaks for its own host only. Every topic is spelled
out, without patterns: what is written here is all there is. With client certificates the same
list holds, where the broker takes the certificate's common name for the user.
"""

from __future__ import annotations

from collections.abc import Iterator

from ambicast.contract.topics import (
    Channel,
    FromController,
    OfHost,
    OfNameserver,
    everything,
    everything_from_agents,
    spell,
)
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import HostName, PopName

CONTROLLER = "controller"
VIEWER = "viewer"

_OF_HOST = (
    Channel.PRESENCE,
    Channel.RECEIPT,
    Channel.REPORT,
    Channel.SIGHTINGS,
    Channel.TELEMETRY,
)
_OF_NAMESERVER = (Channel.PRESENCE, Channel.RECEIPT, Channel.REPORT)
_STEERING = (Channel.STEERING, Channel.MAP)


class AccessError(ValueError):
    """A list that would let somebody speak for somebody else."""


def access_list(fleet: Fleet) -> str:
    """The file that ``acl_file`` of mosquitto.conf names.

    Raises:
        AccessError: a host bears the name of the controller's or the viewers' user.
    """
    taken = [str(host) for _, host in fleet.hosts() if host in {CONTROLLER, VIEWER}]
    if taken:
        raise AccessError(f"host {taken[0]}: that is the name of a user of its own")
    blocks = [
        f"# Who may say and hear what in fleet {fleet.name}; whoever is not named may nothing.",
        _block("Only the controller gives orders and steers.", CONTROLLER, _of_controller(fleet)),
        _block("People and dashboards.", VIEWER, iter([_may("read", everything(fleet.name))])),
    ]
    blocks += [
        _block(f"{host} in {pop.name}.", host, _of_host(fleet, pop.name, host))
        for pop, host in fleet.hosts()
    ]
    return "\n\n".join(blocks) + "\n"


def users(fleet: Fleet) -> tuple[str, ...]:
    """Everybody the list names."""
    return CONTROLLER, VIEWER, *(str(host) for _, host in fleet.hosts())


def _block(title: str, user: str, lines: Iterator[str]) -> str:
    return "\n".join((f"# {title}", f"user {user}", *lines))


def _may(what: str, topic: str) -> str:
    return f"topic {what} {topic}"


def _of_controller(fleet: Fleet) -> Iterator[str]:
    for pattern in everything_from_agents(fleet.name):
        yield _may("read", pattern)
    yield _may("write", spell(fleet.name, FromController()))
    for pop, host in fleet.hosts():
        yield _may("write", spell(fleet.name, OfHost(pop.name, host, Channel.ORDER)))
    for name in fleet.nameservers:
        for channel in _STEERING:
            yield _may("write", spell(fleet.name, OfNameserver(name, channel)))


def _of_host(fleet: Fleet, pop: PopName, host: HostName) -> Iterator[str]:
    yield _may("read", spell(fleet.name, FromController()))
    yield _may("read", spell(fleet.name, OfHost(pop, host, Channel.ORDER)))
    for channel in _OF_HOST:
        yield _may("write", spell(fleet.name, OfHost(pop, host, channel)))
    for name, nameserver in fleet.nameservers.items():
        if nameserver.host == host:
            for channel in _STEERING:
                yield _may("read", spell(fleet.name, OfNameserver(name, channel)))
            for channel in _OF_NAMESERVER:
                yield _may("write", spell(fleet.name, OfNameserver(name, channel)))
