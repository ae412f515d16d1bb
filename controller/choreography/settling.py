"""When a step has settled: its effect was observed, not merely asked for."""

from __future__ import annotations

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Report
from ambicast.model.identifiers import HostName, PopName
from ambicast.model.prefixes import family
from controller.choreography.look import Look
from controller.world.belief import World
from controller.world.condition import Condition
from controller.world.liveness import STALE_AFTER

# "Observed" means by two PoPs that do not advertise the prefix themselves (failover.md).
OBSERVERS = 2


class Settling(msgspec.Struct, frozen=True, tag_field="kind"):
    """A condition on the world."""


class Advertised(Settling, frozen=True, tag="advertised"):
    """``pops`` have sent ``prefixes`` on every established session of the family.

    And, for prefixes that at least two serving PoPs do not advertise, those have seen a permitted
    PoP answer at the witness address. Where nobody is left to look: sent, not observed. ``also``
    are others that rightly advertise the same, and may be whom an observer reaches.
    """

    pops: tuple[PopName, ...]
    prefixes: tuple[str, ...]
    also: tuple[PopName, ...] = ()


class Withdrawn(Settling, frozen=True, tag="withdrawn"):
    """``pop`` has none of ``prefixes`` on any wire (a silent PoP counts as withdrawn)."""

    pop: PopName
    prefixes: tuple[str, ...]


class Answered(Settling, frozen=True, tag="answered"):
    """Every living nameserver has proven the current steering by real queries.

    With ``every``, one whose agent is away counts too: it goes on answering as before, and a
    planned move has the time to wait for it.
    """

    every: bool = False


class Waited(Settling, frozen=True, tag="waited"):
    """So many seconds have passed since the step began."""

    seconds: float


class Met(msgspec.Struct, frozen=True):
    """It holds; ``note`` says how it is known."""

    note: str = ""


class Open(msgspec.Struct, frozen=True):
    """Not yet; ``until`` is when to look again at the latest, if time alone can change it."""

    why: str
    until: float | None = None


class Scene(msgspec.Struct, frozen=True):
    """A look, and the stamp of the steering that nameservers are asked to prove."""

    look: Look
    steering: Stamp


def settled(conditions: tuple[Settling, ...], scene: Scene, began_at: float) -> Met | Open:
    """Whether every condition of a step that began then holds; the first that does not is why.

    Where a step waits as well, what it waited for must have been seen after the wait: a broker
    that hangs tells nobody, and what was true before says nothing about now.
    """
    notes = []
    due = began_at + max((w.seconds for w in conditions if isinstance(w, Waited)), default=0.0)
    for condition in conditions:
        unheard = _unheard(condition, scene, due) if due > began_at else None
        if unheard is not None and scene.look.now >= due:
            return Open(f"{unheard} not heard since the wait was over")
        match _check(condition, scene, began_at):
            case Open() as still:
                return still
            case Met(note):
                notes.append(note)
    return Met("; ".join(note for note in notes if note))


def _check(condition: Settling, scene: Scene, began_at: float) -> Met | Open:
    match condition:
        case Advertised(pops, prefixes, also):
            return _advertised(pops, prefixes, also, scene)
        case Withdrawn(pop, prefixes):
            return _withdrawn(pop, prefixes, scene)
        case Answered(every):
            return _answered(scene, every=every)
        case Waited(seconds):
            due = began_at + seconds
            left = due - scene.look.now
            return Met() if left <= 0 else Open(f"{left:.1f} s to wait", due)
        case _:
            message = f"unknown condition {condition!r}"
            raise TypeError(message)


def _unheard(condition: Settling, scene: Scene, since: float) -> PopName | None:
    """The first PoP of ``condition`` that is not silent and has not spoken ``since``."""
    pops: tuple[PopName, ...] = ()
    if isinstance(condition, Advertised):
        pops = condition.pops
    elif isinstance(condition, Withdrawn):
        pops = (condition.pop,)
    for pop in pops:
        beliefs = [scene.look.world.hosts.get(host) for host in scene.look.fleet.bgp_hosts(pop)]
        heard = any(each and max(each.sighted_at, each.reported_at) >= since for each in beliefs)
        if not heard and scene.look.condition(pop) is not Condition.SILENT:
            return pop
    return None


def _advertised(
    pops: tuple[PopName, ...],
    prefixes: tuple[str, ...],
    also: tuple[PopName, ...],
    scene: Scene,
) -> Met | Open:
    for pop in pops:
        if scene.look.condition(pop) is Condition.SILENT:
            return Open(f"{pop} is silent")
        missing = _unsent(pop, prefixes, scene)
        if missing is not None:
            return Open(missing)
    watched = [prefix for prefix in prefixes if len(_others(prefix, scene)) >= OBSERVERS]
    for prefix in watched:
        observers = _observers(prefix, (*pops, *also), scene)
        if len(observers) < OBSERVERS:
            return Open(f"{prefix} observed by {len(observers)} of {OBSERVERS} PoPs")
    return Met("observed" if watched else "sent, not observed: no PoP is left to look")


def _unsent(pop: PopName, prefixes: tuple[str, ...], scene: Scene) -> str | None:
    for host in _asked(pop, scene):
        report = _report(scene.look.world, host)
        if report is None:
            return f"{pop}: no report of {host}"
        ready = {
            (each.uplink, kind)
            for each in report.sessions
            if each.established
            for kind in each.families
        }
        sent = {(each.uplink, each.prefix) for each in report.wire}
        for prefix in prefixes:
            uplinks = [uplink for uplink, kind in ready if kind is family(prefix)]
            missing = [uplink for uplink in uplinks if (uplink, prefix) not in sent]
            if not uplinks or missing:
                where = ", ".join(sorted(missing)) or "any uplink"
                return f"{pop}: {prefix} not sent through {where}"
    return None


def _withdrawn(pop: PopName, prefixes: tuple[str, ...], scene: Scene) -> Met | Open:
    if scene.look.condition(pop) is Condition.SILENT:
        return Met(f"{pop} is silent")
    for host in _asked(pop, scene):
        report = _report(scene.look.world, host)
        left = {each.prefix for each in report.wire} & set(prefixes) if report else set()
        if left:
            return Open(f"{pop}: {', '.join(sorted(left))} still on the wire")
    return Met()


def _answered(scene: Scene, *, every: bool) -> Met | Open:
    for name, nameserver in sorted(scene.look.fleet.nameservers.items()):
        if scene.look.condition(nameserver.pop) is Condition.SILENT:
            continue
        belief = scene.look.world.nameservers.get(name)
        host = scene.look.world.hosts.get(nameserver.host)
        offline = host is None or host.presence is None or not host.presence.online
        if offline and not every:
            continue
        if belief is None or belief.proven < scene.steering:
            return Open(f"nameserver {name} has not proven {scene.steering.generation}")
    return Met()


def _asked(pop: PopName, scene: Scene) -> tuple[HostName, ...]:
    """The hosts of ``pop`` that an order reaches; of a lost one the last report tells nothing.

    One never heard is waited for, unless enough others are fit.
    """
    found, fleet = scene.look.conditions[pop], scene.look.fleet
    left = tuple(host for host in fleet.bgp_hosts(pop) if host not in found.lost)
    heard = tuple(host for host in left if _report(scene.look.world, host) is not None)
    return heard if found.enough else left


def _report(world: World, host: HostName) -> Report | None:
    belief = world.hosts.get(host)
    return belief.report if belief else None


def _others(prefix: str, scene: Scene) -> list[PopName]:
    """Serving PoPs that do not have ``prefix`` on their wire: the ones that can look."""
    found = []
    for pop in scene.look.fleet.pops:
        reports = [_report(scene.look.world, host) for host in _asked(pop, scene)]
        wires = {each.prefix for report in reports if report for each in report.wire}
        if scene.look.condition(pop) is Condition.SERVING and prefix not in wires:
            found.append(pop)
    return found


def _observers(prefix: str, permitted: tuple[PopName, ...], scene: Scene) -> set[PopName]:
    return {
        scene.look.world.pops[host]
        for host, belief in scene.look.world.hosts.items()
        if belief.sightings is not None
        and scene.look.now - belief.sighted_at <= STALE_AFTER
        and set(belief.sightings.witnesses.get(prefix, ())) & set(permitted)
    }
