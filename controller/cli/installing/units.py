"""The systemd units as they are delivered, made to name the programs of this very installation.

The delivered ones name ``/opt/ambicast/.venv/bin``. They lie in ``configs/systemd`` of the
sources, or beside an installed wheel in ``share/ambicast/systemd`` (see ``pyproject.toml``).
"""

from __future__ import annotations

import sys
from pathlib import Path

from ambicast.model.identifiers import Role
from controller.cli.installing.changes import InstallError, Put

DELIVERED = "/opt/ambicast/.venv/bin"
TARGET = Path("/etc/systemd/system")
PLACES = (
    Path(__file__).parents[3] / "configs" / "systemd",
    Path(sys.prefix) / "share" / "ambicast" / "systemd",
)
# ProtectHome= and PrivateTmp= hide these from the units.
HIDDEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108 - not used as such

# In the order in which they are started: what must be up without the agent comes before it.
CONTROLLER = ("ambicast-controller.service",)


def of_host(roles: tuple[Role, ...]) -> tuple[str, ...]:
    """The units of a host with these roles, first to last."""
    found = []
    if Role.BGP in roles:
        found += ["ambicast-responder.service", "ambicast-exabgp.service"]
    if Role.DNS in roles:
        found.append("ambicast-nameserver.service")
    return (*found, "ambicast-agent.service")


def programs(given: Path | None) -> Path:
    """The folder of our programs: the given one, or that of the running interpreter.

    Raises:
        InstallError: the units could not see it.
    """
    found = given or Path(sys.prefix) / "bin"
    if f"{found}/".startswith(HIDDEN):
        raise InstallError(f"{found}: {_unseen()}")
    return found


def hindrance(folder: Path) -> str | None:
    """Why the units could not start the programs in ``folder`` on this machine, or none.

    An environment for Python is a folder of its own, but its interpreter may lie elsewhere.
    """
    interpreter = (folder / "python").resolve()
    if not interpreter.exists():
        return f"{folder}/python: not there; --programs says where Ambicast is installed"
    if str(interpreter).startswith(HIDDEN):
        return f"{interpreter}, which {folder}/python leads to: {_unseen()}"
    for each in interpreter.parents:
        if not each.stat().st_mode & 0o001:
            return f"{each}, on the way to {interpreter}: everybody must be able to enter it"
    return None


def _unseen() -> str:
    return f"units cannot see {', '.join(HIDDEN)}; install Ambicast and its Python somewhere else"


def put(name: str, folder: Path) -> Put:
    """One unit, starting the programs in ``folder``.

    Raises:
        InstallError: the delivered unit is not there.
    """
    for place in PLACES:
        try:
            text = (place / name).read_text()
        except OSError:
            continue
        return Put(TARGET / name, text.replace(DELIVERED, str(folder)))
    raise InstallError(f"{name}: not delivered with this installation ({PLACES[-1]})")
