"""What the operating system has to know besides the units: users, owners of files, the kernel.

Each is a drop-in for the tool that owns the matter (sysusers.d(5), tmpfiles.d(5), sysctl.d(5)), so
that it holds after the next boot, and on an image, as well as now.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ambicast.model.pops import Pop
from controller.cli.installing.changes import Command, Put

USERS = Path("/etc/sysusers.d/ambicast.conf")
OWNERS = Path("/etc/tmpfiles.d/ambicast.conf")
KERNEL = Path("/etc/sysctl.d/90-ambicast.conf")
CONTROLLER_USERS = Path("/etc/sysusers.d/ambicast-controller.conf")
CONTROLLER_OWNERS = Path("/etc/tmpfiles.d/ambicast-controller.conf")
LIVE = Path("/")

HOST_USER, CONTROLLER_USER = "ambicast", "ambicast-controller"
_HOST_USER = 'u ambicast - "Ambicast PoP host" /var/lib/ambicast\n'
_HOST_OWNERS = """\
z /etc/ambicast/watch.key 0600 ambicast ambicast
z /etc/ambicast/broker.password 0600 ambicast ambicast
z /etc/ambicast/broker.key 0600 ambicast ambicast
"""
_CONTROLLER_USER = 'u ambicast-controller - "Ambicast controller" /var/lib/ambicast-controller\n'
_CONTROLLER_OWNERS = """\
z /etc/ambicast/controller.password 0600 ambicast-controller
z /etc/ambicast/controller.key 0600 ambicast-controller
"""
_KERNEL = """\
# Routes through an interface without carrier are not used, also while no agent runs that would
# move them; and IPv6 addresses survive a link that was down.
"""


def of_host(pop: Pop, secrets: Iterable[Path] = (), *, kernel: bool) -> tuple[Put, ...]:
    """The drop-ins of a PoP host; ``pop`` as it reaches its uplinks.

    ``secrets`` lie somewhere else than usual.
    """
    owners = _HOST_OWNERS + _given(secrets, HOST_USER)
    found = (Put(USERS, _HOST_USER), Put(OWNERS, owners))
    return (*found, Put(KERNEL, _kernel(pop))) if kernel else found


def of_controller(secrets: Iterable[Path] = ()) -> tuple[Put, ...]:
    """The drop-ins of the controller's machine."""
    owners = _CONTROLLER_OWNERS + _given(secrets, CONTROLLER_USER)
    return Put(CONTROLLER_USERS, _CONTROLLER_USER), Put(CONTROLLER_OWNERS, owners)


def applied(root: Path, files: tuple[Put, ...]) -> tuple[Command, ...]:
    """The commands that bring them into force; on an image the kernel is not asked."""
    where = () if root == LIVE else (f"--root={root}",)
    found = []
    for each in files:
        match each.path.parent.name:
            case "sysusers.d":
                found.append(Command(("systemd-sysusers", *where, each.path.name)))
            case "tmpfiles.d":
                found.append(Command(("systemd-tmpfiles", "--create", *where, each.path.name)))
            case "sysctl.d" if root == LIVE:
                found.append(Command(("sysctl", "-e", "-q", "-p", str(each.path))))
    return tuple(found)


def systemctl(root: Path, *words: str) -> Command:
    """A call of systemctl; on an image it works on its files."""
    where = () if root == LIVE else (f"--root={root}",)
    return Command(("systemctl", *where, *words))


def _given(secrets: Iterable[Path], user: str) -> str:
    return "".join(f"z {path} 0600 {user}\n" for path in secrets)


def _kernel(pop: Pop) -> str:
    names = sorted({uplink.interface for uplink in pop.uplinks.values()})
    # With slashes, because an interface may be called eth1.100.
    lines = [
        f"net/{kind}/conf/{name}/ignore_routes_with_linkdown = 1"
        for name in names
        for kind in ("ipv4", "ipv6")
    ]
    lines += [f"net/ipv6/conf/{name}/keep_addr_on_down = 1" for name in names]
    return _KERNEL + "\n".join(lines) + "\n"
