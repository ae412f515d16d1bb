"""Which programs each kind of node runs, and how they are called.

Start order does not matter: whatever cannot start yet (a broker that is not there, an address that
appears later) is started again by the node's starter.
"""

from __future__ import annotations

from lab.topology.shapes import PopPrograms, Program, RouterSoftware

AGENT_FILE = "/etc/ambicast/agent.yaml"
CONTROLLER_FILE = "/etc/ambicast/controller.yaml"
FRR_SOCKET = "/run/frr/zserv.api"

# As `RestartSec` of the systemd units: without BGP or answers to probes a PoP is soon a dead one.
SOON_S = 0.1
LATER_S = 1.0


def service(pop: str) -> Program:
    """The service that clients come for."""
    return Program(name="service", argv=("python3", "-m", "lab.nodes.service", "--pop", pop))


def pop_programs(
    pop: str, *, nameserver: bool, programs: PopPrograms, bfd: bool = False
) -> tuple[Program, ...]:
    """A PoP: Ambicast's own, or ExaBGP with its own healthcheck (the baseline)."""
    if programs == "exabgp-healthcheck":
        exabgp = Program(
            name="exabgp",
            argv=("exabgp", "server", "/etc/exabgp/exabgp.conf"),
            env={"exabgp_daemon_user": "root", "exabgp_api_cli": "false"},
        )
        return service(pop), exabgp
    agent = ("ambicast-agent",)
    chosen = [
        service(pop),
        Program(
            name="exabgp",
            argv=(*agent, "exabgp", "--config", AGENT_FILE),
            restart_after=SOON_S,
        ),
        Program(
            name="responder",
            argv=(*agent, "responder", "--config", AGENT_FILE),
            restart_after=SOON_S,
        ),
        Program(name="agent", argv=(*agent, "--config", AGENT_FILE), restart_after=LATER_S),
    ]
    if bfd:
        argv = (*agent, "bfdd", "--config", AGENT_FILE)
        chosen.append(Program(name="bfdd", argv=argv, restart_after=SOON_S))
    if nameserver:
        argv = (*agent, "nameserver", "--config", AGENT_FILE)
        chosen.insert(2, Program(name="nameserver", argv=argv))
    return tuple(chosen)


def router_programs(software: RouterSoftware, *, bfd: bool = False) -> tuple[Program, ...]:
    """A router; BIRD speaks BFD itself.

    bgpd waits for zebra's socket: when it comes too early it retries after 10 s.
    """
    if software == "bird":
        argv = ("/usr/sbin/bird", "-f", "-c", "/etc/bird/bird.conf", "-s", "/run/bird/bird.ctl")
        return (Program(name="bird", argv=argv),)
    zebra = ("/usr/lib/frr/zebra", "-A", "127.0.0.1", "-f", "/etc/frr/zebra.conf")
    bgpd = ("/usr/lib/frr/bgpd", "-A", "127.0.0.1", "-f", "/etc/frr/bgpd.conf")
    bfdd = ("/usr/lib/frr/bfdd", "-A", "127.0.0.1", "-f", "/etc/frr/bfdd.conf")
    watching = (Program(name="bfdd", argv=bfdd, after=FRR_SOCKET),) if bfd else ()
    return (
        Program(name="zebra", argv=zebra),
        *watching,
        Program(name="bgpd", argv=bgpd, after=FRR_SOCKET),
    )


def client_programs() -> tuple[Program, ...]:
    """A client network's resolver."""
    return (Program(name="resolver", argv=("/usr/sbin/unbound", "-d", "-c", UNBOUND_FILE)),)


def controller_programs() -> tuple[Program, ...]:
    """The broker and the controller."""
    return (
        Program(name="mosquitto", argv=("/usr/sbin/mosquitto", "-c", MOSQUITTO_FILE)),
        Program(name="controller", argv=("ambicast-controller", "--config", CONTROLLER_FILE)),
    )


UNBOUND_FILE = "/etc/unbound/unbound.conf"
MOSQUITTO_FILE = "/etc/mosquitto/mosquitto.conf"
