"""From a fleet file and what is there already to the whole change; nothing is touched here.

Restarting is where an installation can do harm, so it is picky: an agent may be restarted at any
time, and is where its files or programs are not those of its last start (:mod:`started`); a
responder is reloaded, which leaves no gap. ExaBGP and the nameserver are started where they do not
run, and left alone where they do: a note says which of them wait for a drain.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ambicast.files import load_fleet
from ambicast.model.identifiers import HostName, Role
from controller.cli.installing import (
    credentials,
    remains,
    settings,
    started,
    system,
    units,
)
from controller.cli.installing.allowlist import allowances
from controller.cli.installing.changes import (
    Change,
    Command,
    InstallError,
    Put,
    Remove,
    pending,
    text_at,
)
from controller.cli.installing.system import systemctl

LOOPBACK = "127.0.0.1"
RESPONDER = "ambicast-responder.service"
EVERY_UNIT = units.of_host((Role.BGP, Role.DNS))


def install_agent(
    root: Path, pop: str, host: str | None, fleet: Path, broker: str | None, programs: Path
) -> Change:
    """Everything that makes this machine the host of a PoP.

    Raises:
        InstallError: the names do not fit the fleet, or this is another host already.
        FleetFileError: the fleet file has faults.
    """
    known = load_fleet(fleet)
    place, name = settings.pop_and_host(known, pop, host)
    before = settings.existing(root, settings.AGENT)
    _same_host(before, pop, name)
    roles = place.hosts[HostName(name)]
    reached = settings.broker(root, before, broker, name, settings.PASSWORD)
    written = settings.agent(
        before, place, name, [dict(each) for each in allowances(known, place.name)], reached
    )
    names = units.of_host(roles)
    secrets = credentials.given(root, credentials.AGENT, written)
    dropins = system.of_host(place.at(HostName(name)), secrets, kernel=Role.BGP in roles)
    usual = written["watch_key_file"] == str(settings.KEY)
    new = usual and text_at(root, settings.KEY) is None
    key = (settings.watch_key(),) if new else ()
    files = (
        *settings.fleet_files(fleet, root),
        *key,
        settings.put(root, settings.AGENT, written),
        *dropins,
        *(units.put(each, programs) for each in names),
    )
    notes = _broker_notes(reached)
    if key:
        notes.append(f"{settings.KEY}: new; every host needs the same one, so copy it, once")
    # Of a key nobody has to copy the text: what lies there counts.
    read = {Path(str(written["watch_key_file"])): None, **{each.path: each.text for each in files}}
    mark = started.mark(root, settings.STATE / settings.MARK, programs, read)
    return _with_units(root, files, dropins, names, notes, mark)


def install_controller(root: Path, fleet: Path, broker: str | None, programs: Path) -> Change:
    """Everything that makes this machine run the controller; raises as above."""
    load_fleet(fleet)
    before = settings.existing(root, settings.CONTROLLER)
    password = settings.CONTROLLER_PASSWORD
    reached = settings.broker(root, before, broker, "controller", password)
    written = settings.controller(before, reached)
    secrets = credentials.given(root, credentials.CONTROLLER, written)
    dropins = system.of_controller(secrets)
    files = (
        *settings.fleet_files(fleet, root),
        settings.put(root, settings.CONTROLLER, written),
        *dropins,
        *(units.put(each, programs) for each in units.CONTROLLER),
    )
    read = {each.path: each.text for each in files}
    mark = started.mark(root, settings.CONTROLLER_STATE / settings.MARK, programs, read)
    return _with_units(root, files, dropins, units.CONTROLLER, _broker_notes(reached), mark)


def uninstall_agent(root: Path, programs: Path, settle: float, *, purge: bool) -> Change:
    """Everything back: first the routes, while all still serve, then the programs.

    The agent withdraws while it runs, so that the controller hears of it; only then it stops.
    """
    there = tuple(name for name in EVERY_UNIT if text_at(root, units.TARGET / name) is not None)
    before: tuple[Command, ...] = ()
    # It stands in the settings where the brake is; without it there is nobody to ask.
    if root == system.LIVE and text_at(root, settings.AGENT) is not None:
        withdraw = (str(programs / "ambicast-agent"), "withdraw", "--reason", "uninstalled")
        before = (Command(withdraw), Command(("sleep", f"{settle:g}")))
    gone = tuple(_off(root, name) for name in reversed(there))
    dropins = (system.USERS, system.OWNERS, system.KERNEL)
    mark = settings.STATE / settings.MARK
    files = [Remove(each) for each in (*(units.TARGET / name for name in there), *dropins, mark)]
    files += remains.brake(root)
    notes = [f"{settings.ETC} and {settings.STATE} stay; --purge takes their files too"]
    if purge:
        ours = [settings.AGENT, settings.KEY, settings.PASSWORD]
        if text_at(root, settings.CONTROLLER) is None:  # It reads the same fleet file.
            ours.append(settings.FLEET)
        files += [*(Remove(each) for each in ours), *remains.memory(root)]
        notes = []
    notes.append("service addresses, rules and routes stay in the kernel until the next boot")
    return Change(
        files=tuple(files),
        before=(*before, *gone),
        after=_reloaded(root),
        notes=tuple(notes),
    )


def uninstall_controller(root: Path) -> Change:
    """The controller goes; nothing else changes by that."""
    there = [name for name in units.CONTROLLER if text_at(root, units.TARGET / name) is not None]
    paths = [units.TARGET / name for name in there]
    paths += [system.CONTROLLER_USERS, system.CONTROLLER_OWNERS]
    paths.append(settings.CONTROLLER_STATE / settings.MARK)
    return Change(
        files=tuple(Remove(path) for path in paths),
        before=tuple(_off(root, name) for name in there),
        after=_reloaded(root),
        notes=(f"{settings.ETC} and the journal stay",),
    )


def _same_host(before: dict[str, object], pop: str, host: str) -> None:
    known = before.get("pop", pop), before.get("host", host)
    if known != (pop, host):
        raise InstallError(
            f"{settings.AGENT}: this is {known[1]} of {known[0]}; uninstall that first"
        )


def _with_units(
    root: Path,
    files: Sequence[Put],
    dropins: tuple[Put, ...],
    names: tuple[str, ...],
    notes: list[str],
    mark: started.Mark,
) -> Change:
    after = [*system.applied(root, dropins), *_reloaded(root)]
    for name in names:
        now = ("--now",) if root == system.LIVE else ()
        after.append(systemctl(root, "enable", *now, name))
    if root != system.LIVE:  # Nothing runs in an image.
        return Change(files=tuple(files), after=tuple(after), notes=tuple(notes))
    fresh = {each.path.name for each in files if text_at(root, each.path) is None}
    other = {each.path.name for each in pending(root, files)} | mark.differing(root)
    if not other:
        return Change(files=tuple(files), after=tuple(after), notes=tuple(notes))
    first, last = names[:-1], names[-1]
    if last not in fresh:
        after += _again(root, first, last, fresh)
        notes += _waiting(first, other - fresh)
    return Change(
        files=(Remove(mark.path), *files),
        after=tuple(after),
        last=(mark.put(),),
        notes=tuple(notes),
    )


def _again(root: Path, first: Sequence[str], last: str, fresh: set[str]) -> list[Command]:
    found = [systemctl(root, "try-restart", last)]
    if RESPONDER in first and RESPONDER not in fresh:
        found.insert(0, systemctl(root, "try-reload-or-restart", RESPONDER))
    return found


def _waiting(first: Sequence[str], other: set[str]) -> list[str]:
    """Which units go on with something else than what they would be started with now."""
    return [
        f"{name} goes on as it was started: drain, then systemctl restart {name}"
        for name in first
        if name != RESPONDER and {name, "fleet.yaml", "agent.yaml"} & other
    ]


def _reloaded(root: Path) -> tuple[Command, ...]:
    return (systemctl(root, "daemon-reload"),) if root == system.LIVE else ()


def _off(root: Path, name: str) -> Command:
    now = ("--now",) if root == system.LIVE else ()
    return systemctl(root, "disable", *now, name)


def _broker_notes(broker: dict[str, object]) -> list[str]:
    if broker.get("host") != LOOPBACK:
        return []
    return [f"broker: {LOOPBACK}; --broker HOST says where it is, and until then nothing changes"]
