"""The agent's settings: ``agent.yaml`` and the fleet file it names, checked before the start.

Every fault is one line: which file, where in it, what was found, what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
import yaml

from agents.advertising.allowance import Allowance
from ambicast.broker.settings import Broker
from ambicast.files import FleetFileError, load_fleet
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import HostName, NameserverName, PopName, Role
from ambicast.model.pops import Pop
from ambicast.model.prefixes import PrefixError, address, network
from ambicast.model.quantities import QuantityError, duration


class ConfigError(Exception):
    """The settings cannot be used; the text says which file, where, and what is allowed."""


class ExaBgpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How ExaBGP is started and reached; times as text with a unit, ``router_id`` dotted.

    ``graceful_restart`` (RFC 4724) is how long neighbors keep our routes while ExaBGP is away.
    Off by default: a PoP that dies then keeps its routes for so long.
    """

    bridge: Path = Path("/run/ambicast/exabgp.sock")
    hold: str = "9s"
    router_id: str | None = None
    graceful_restart: str | None = None

    @property
    def graceful_seconds(self) -> int:
        """The restart time (RFC 4724 section 3: 12 bits); 0 is off."""
        return int(duration(self.graceful_restart)) if self.graceful_restart else 0

    @property
    def hold_seconds(self) -> int:
        """The hold time (RFC 4271 section 4.2: whole seconds)."""
        return int(duration(self.hold))


class BfdSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """FRR's bfdd, where it is to watch the uplinks' neighbors (RFC 5880).

    A neighbor is down after ``multiplier`` times ``interval`` without a packet. The socket's
    folder is given to FRR's user, so nothing else may lie in it.
    """

    socket: Path = Path("/run/ambicast-bfd/bfdd.sock")
    interval: str = "300ms"
    multiplier: int = 3

    @property
    def seconds(self) -> float:
        """The interval."""
        return duration(self.interval)


class KnotSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the local Knot listens for commands, and the folder it keeps its files in."""

    socket: Path = Path("/run/ambicast/knot.sock")
    directory: Path = Path("/var/lib/ambicast/knot")


class LoadSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the CPU's load is read: a file like ``/proc/stat``, or one with a share (``0.42``).

    In a container ``/proc/stat`` is the whole machine's; there somebody else has to say it.
    """

    cpu: Path = Path("/proc/stat")


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fleet: Path
    pop: str
    host: str
    broker: Broker
    state_dir: Path
    watch_key_file: Path | None = None
    exabgp: ExaBgpSettings = ExaBgpSettings()
    knot: KnotSettings = KnotSettings()
    bfd: BfdSettings | None = None
    allow: tuple[Allowance, ...] = ()
    socket: Path = Path("/run/ambicast/agent.sock")
    responder: Path = Path("/run/ambicast/responder.sock")
    load: LoadSettings = LoadSettings()


class Settings(msgspec.Struct, frozen=True):
    """Everything the agent is told before it starts.

    ``pop`` has its uplinks as this host reaches them; ``nameserver`` is there on a host with role
    dns; ``socket`` is where the break-glass commands reach the running agent, ``responder`` where
    the agent reaches the process that answers probes.
    """

    fleet: Fleet
    pop: Pop
    host: HostName
    roles: tuple[Role, ...]
    broker: Broker
    state_dir: Path
    watch_key_file: Path
    exabgp: ExaBgpSettings
    knot: KnotSettings
    allow: tuple[Allowance, ...]
    nameserver: NameserverName | None = None
    socket: Path = Path("/run/ambicast/agent.sock")
    responder: Path = Path("/run/ambicast/responder.sock")
    load: LoadSettings = LoadSettings()
    bfd: BfdSettings | None = None


def load(path: Path) -> Settings:
    """The settings in the file ``path``.

    Raises:
        ConfigError: naming every fault of the first step that failed.
    """
    raw = _parsed(path)
    file = _converted(path, raw)
    faults = [f"{path}: {fault}" for fault in _faults(file)]
    if faults:
        raise ConfigError("\n".join(faults))
    try:
        fleet = load_fleet(file.fleet)
    except FleetFileError as fault:
        raise ConfigError(str(fault)) from None
    pop, host = _placed(path, file, fleet)
    roles = pop.hosts[host]
    if Role.BGP in roles and file.watch_key_file is None:
        raise ConfigError(f"{path}: watch_key_file: missing; a host with role bgp needs one")
    if Role.BGP in roles and not file.allow:
        # An empty list would withdraw everything at the next reload: never what is meant.
        message = "allow: empty; a host with role bgp lists what it may advertise"
        raise ConfigError(f"{path}: {message}")
    return Settings(
        fleet=fleet,
        pop=pop,
        host=host,
        roles=roles,
        broker=file.broker,
        state_dir=file.state_dir,
        watch_key_file=file.watch_key_file or Path("/dev/null"),
        exabgp=file.exabgp,
        knot=file.knot,
        allow=file.allow,
        nameserver=_nameserver(file, fleet) if Role.DNS in roles else None,
        socket=file.socket,
        responder=file.responder,
        load=file.load,
        bfd=file.bfd,
    )


class Places(msgspec.Struct, frozen=True):
    """Where things lie on this host, as far as a file says that may be full of faults."""

    pop: str = "?"
    host: str = "?"
    state_dir: Path = Path("/var/lib/ambicast")
    socket: Path = Path("/run/ambicast/agent.sock")
    bridge: Path = ExaBgpSettings().bridge


def places(path: Path) -> Places:
    """What can be read of ``path``, and for the rest what it normally is. Never raises."""
    try:
        raw = _parsed(path)
    except ConfigError:
        return Places()
    own = raw.get("exabgp")
    raw = {**raw, "bridge": own.get("bridge") if isinstance(own, dict) else None}
    found = {}
    for field in msgspec.structs.fields(Places):
        try:
            found[field.name] = msgspec.convert(raw[field.name], field.type, dec_hook=_path)
        except (KeyError, msgspec.ValidationError):
            continue
    return Places(**found)


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        raw = yaml.load(path.read_text(), Loader=_loader())  # noqa: S506 - both loaders are safe
    except OSError as fault:
        raise ConfigError(f"{path}: {fault.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{path}: {' '.join(str(fault).split())}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: a mapping of settings is allowed")
    return raw


def _loader() -> type[yaml.SafeLoader]:
    """The C loader where the library has one: ten times as fast."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _converted(path: Path, raw: Mapping[str, Any]) -> _File:
    unknown = tuple(_unknown_keys(raw, _File, ""))
    if unknown:
        raise ConfigError("\n".join(f"{path}: {each}" for each in unknown))
    try:
        return msgspec.convert(raw, _File, dec_hook=_path)
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at ")
        spelled = where.strip("`").removeprefix("$.") or "(the whole file)"
        raise ConfigError(f"{path}: {spelled}: {what}") from None


def _path(kind: type, found: Any) -> Path:
    """What msgspec cannot read by itself: an absolute path, so that the folder does not matter."""
    if kind is not Path or not isinstance(found, str) or not found.startswith("/"):
        raise ValueError(f"{found!r}; an absolute path is allowed")
    return Path(found)


def _unknown_keys(raw: object, kind: Any, path: str) -> Iterator[str]:
    """Every key no setting has, with the ones it may have been meant to be."""
    if isinstance(raw, list):
        inner = get_args(kind)
        for index, each in enumerate(raw):
            yield from _unknown_keys(each, inner[0] if inner else None, f"{path}[{index}]")
    is_struct = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    if not isinstance(raw, dict) or not is_struct:
        return
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in raw.items():
        spelled = f"{path}.{key}" if path else str(key)
        if key not in fields:
            yield f"{spelled}: unknown; allowed are {', '.join(fields)}"
        else:
            yield from _unknown_keys(value, fields[key], spelled)


def _faults(file: _File) -> Iterator[str]:
    if not 1 <= file.broker.port <= 65535:
        yield f"broker.port: {file.broker.port}; 1 to 65535 are allowed"
    if fault := file.broker.fault():
        yield fault
    yield from _bfd_faults(file)
    yield from _seconds_faults("exabgp.hold", file.exabgp.hold, 3, 65535)
    if file.exabgp.graceful_restart is not None:
        given = file.exabgp.graceful_restart
        yield from _seconds_faults("exabgp.graceful_restart", given, 1, 4095)
    if file.exabgp.router_id is not None and not _is_v4(file.exabgp.router_id):
        yield f"exabgp.router_id: {file.exabgp.router_id!r}; an IPv4 address is allowed"
    for index, entry in enumerate(file.allow):
        try:
            most = network(entry.prefix).max_prefixlen
            least = network(entry.prefix).prefixlen
        except PrefixError as fault:
            yield f"allow[{index}].prefix: {fault}"
            continue
        if not least <= entry.longest <= most:
            yield f"allow[{index}].longest: {entry.longest}; {least} to {most} are allowed"


def _bfd_faults(file: _File) -> Iterator[str]:
    bfd = file.bfd
    if bfd is None:
        return
    try:
        if not 0.01 <= bfd.seconds <= 60:
            yield f"bfd.interval: {bfd.interval}; 10ms to 60s are allowed"
    except QuantityError as fault:
        yield f"bfd.interval: {fault}"
    if not 2 <= bfd.multiplier <= 255:
        yield f"bfd.multiplier: {bfd.multiplier}; 2 to 255 are allowed"
    if bfd.socket.parent == file.exabgp.bridge.parent:
        yield f"bfd.socket: {bfd.socket}; a folder in which nothing else lies is allowed"


def _seconds_faults(where: str, text: str, least: int, most: int) -> Iterator[str]:
    try:
        seconds = duration(text)
    except QuantityError as fault:
        yield f"{where}: {fault}"
        return
    if seconds != int(seconds) or not least <= seconds <= most:
        yield f"{where}: {text}; whole seconds from {least}s to {most}s are allowed"


def _is_v4(text: str) -> bool:
    try:
        return address(text).version == 4
    except PrefixError:
        return False


def _placed(path: Path, file: _File, fleet: Fleet) -> tuple[Pop, HostName]:
    pop = fleet.pops.get(PopName(file.pop))
    if pop is None:
        pops = ", ".join(sorted(fleet.pops))
        raise ConfigError(f"{path}: pop: {file.pop!r} is not in {file.fleet}; it has {pops}")
    if file.host not in pop.hosts:
        hosts = ", ".join(sorted(pop.hosts))
        raise ConfigError(f"{path}: host: {file.host!r} is no host of {pop.name}; it has {hosts}")
    host = HostName(file.host)
    return pop.at(host), host


def _nameserver(file: _File, fleet: Fleet) -> NameserverName:
    for name, nameserver in fleet.nameservers.items():
        if nameserver.host == file.host:
            return name
    raise ConfigError(
        f"{file.fleet}: host {file.host} has role dns and no nameserver stands on it"
    )
