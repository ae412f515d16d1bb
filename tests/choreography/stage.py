"""A stage for stories: perfect agents and nameservers, virtual time, and the controller's core.

Agents here are the simplest that could work: an order reaches every host that is not silent and is
on the wire at the next look. What they do by themselves is in ``alone.py``. Whatever the core
decides is recorded in ``history``.
"""

from __future__ import annotations

import copy

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import (
    Fitness,
    NameserverReceipt,
    Order,
    Outcome,
    Presence,
    Report,
    Said,
    Session,
    Sighting,
    Sightings,
    Steering,
)
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, NameserverName, PopName
from ambicast.model.prefixes import family
from ambicast.model.routes import Advertisement
from controller.choreography.run import (
    Command,
    Happened,
    PublishOrder,
    PublishSteering,
    Run,
    fresh,
)
from controller.choreography.step import step
from controller.choreography.technique import EVERYTHING, Technique
from controller.world.belief import World, fold
from controller.world.observations import (
    BusChanged,
    DrainAsked,
    HostPresent,
    HostReported,
    HostSighted,
    NameserverAnswered,
    Observation,
    UndrainAsked,
)
from tests.choreography.alone import Alone


class Stage:
    """The fleet, its agents, and the core that commands them."""

    def __init__(
        self,
        fleet: Fleet,
        techniques: frozenset[Technique] = EVERYTHING,
        *,
        connected: bool = True,
    ) -> None:
        """Nothing has been heard yet."""
        self.fleet = fleet
        self.techniques = techniques
        self.now = 1000.0
        self.world = World(began_at=self.now)
        self.run: Run = fresh(fleet, 1, self.now)
        self.orders: dict[HostName, tuple[Stamp, Order]] = {}
        self.wires: dict[HostName, Order | None] = {}
        self.answers: dict[NameserverName, tuple[Stamp, Steering]] = {}
        self.proven: dict[NameserverName, Stamp] = {}
        self.silent: set[PopName] = set()
        self.blind: set[PopName] = set()
        self.unfit: set[PopName] = set()
        self.bare: set[PopName] = set()  # alive and fit, but nothing of theirs is on a wire
        self.unseen: set[tuple[PopName, PopName]] = set()  # (watcher, PoP) that do not meet
        self.paused: set[PopName] = set()  # watchers whose own loop stood still
        self.mute: set[PopName] = set()  # watchers whose sightings do not arrive
        self.cut: set[PopName] = set()  # alive, but not heard, and hearing nothing
        self.half: set[tuple[PopName, Family]] = set()  # silent in that family alone
        self.bare_in: set[tuple[PopName, Family]] = set()  # nothing of that family on a wire
        self.overloaded: set[PopName] = set()
        self.said: dict[PopName, Said] = {}  # what responders say to everybody
        self.alone = Alone(self)  # what agents do by themselves
        self.deaf = False
        self.history: list[tuple[float, Command]] = []
        self.learned: list[tuple[float, Observation]] = []
        self._told: dict[object, object] = {}
        if connected:
            self.learn(BusChanged(connected=True))

    def learn(self, observation: Observation) -> None:
        """One observation, as the loop would fold it."""
        self.learned.append((self.now, observation))
        self.world = fold(self.world, observation, self.now)

    def look(self) -> tuple[Command, ...]:
        """One look of the core; commands are carried out at once."""
        self.run, commands = step(self.run, self.world, self.fleet, self.now, self.techniques)
        for command in commands:
            self.history.append((self.now, command))
            match command:
                case PublishOrder(_, host, stamp, order):
                    self.orders[host] = (stamp, order)
                case PublishSteering(nameserver, stamp, steering):
                    self.answers[nameserver] = (stamp, steering)
        return commands

    def pass_time(self, seconds: float, every: float = 0.1) -> None:
        """Agents act, report and watch; the core looks; ``seconds`` go by."""
        until = self.now + seconds
        while self.now < until - 1e-9:
            self.now = min(until, self.now + every)
            self.alone.act()
            if not self.deaf:
                self.report()
            self.look()

    def report(self) -> None:
        """What every living host tells now."""
        for pop, host in self.fleet.hosts():
            if pop.name in self.silent | self.cut:
                continue
            if host in self.orders:
                self.wires[host] = self.orders[host][1]
                self.alone.accepted(host, *self.orders[host])
            self._tell(HostPresent(pop.name, host, Presence(online=True, instance="i", since=0)))
            self._tell(HostReported(pop.name, host, self._report(pop.name, host)))
            if pop.name not in self.mute:
                self.learn(HostSighted(pop.name, host, self._sightings(pop.name)))
        self._prove()

    def fork(self) -> Stage:
        """The same moment once more; what happens to one of the two does not reach the other."""
        twin = copy.copy(self)
        for name, value in vars(self).items():
            setattr(twin, name, copy.copy(value))
        twin.alone = self.alone.fork(twin)
        return twin

    def lose_broker(self) -> None:
        """Nobody is heard any more, and the bus says so."""
        self.deaf = True
        self.learn(BusChanged(connected=False))

    def find_broker(self) -> None:
        """Back again."""
        self.deaf = False
        self.learn(BusChanged(connected=True))

    def drain(self, pop: PopName) -> None:
        """The operator asks."""
        self.learn(DrainAsked(pop, "maintenance"))

    def undrain(self, pop: PopName) -> None:
        """The operator takes it back."""
        self.learn(UndrainAsked(pop, "maintenance over"))

    def wire(self, pop: PopName) -> set[str]:
        """The prefixes ``pop`` advertises now."""
        hosts = self.fleet.bgp_hosts(pop)
        return {each.prefix for host in hosts for each in self._sent(pop, host)}

    def ordered(self, pop: PopName) -> set[str]:
        """The prefixes in the latest order of ``pop``."""
        host = self.fleet.bgp_hosts(pop)[0]
        return {each.prefix for each in self.orders[host][1].advertisements}

    def given(self) -> dict[str, str]:
        """Client group -> first address of the newest answers."""
        newest = self.run.steering
        assert newest is not None
        return {group: each[0] for group, each in newest.answers["www"].items()}

    def happened(self, kind: str) -> list[Happened]:
        """Events of one kind, oldest first."""
        return [c for _, c in self.history if isinstance(c, Happened) and c.kind == kind]

    def _tell(self, observation: HostPresent | HostReported) -> None:
        key = (type(observation), observation.host)
        if self._told.get(key) != observation:
            self._told[key] = observation
            self.learn(observation)

    def _prove(self) -> None:
        for nameserver, (stamp, _) in self.answers.items():
            home = self.fleet.nameservers[nameserver].pop
            if home in self.silent or self.proven.get(nameserver) == stamp:
                continue
            self.proven[nameserver] = stamp
            receipt = NameserverReceipt(outcome=Outcome.ACCEPTED, proven=1)
            self.learn(NameserverAnswered(nameserver, stamp, receipt))

    def _sent(self, pop: PopName, host: HostName) -> tuple[Advertisement, ...]:
        order = self.wires.get(host)
        if order is None or pop in self.bare:
            return ()
        every = self.alone.sent(pop, host, order)
        every = tuple(each for each in every if (pop, family(each.prefix)) not in self.bare_in)
        if pop in self.unfit and self.alone.others_fit(pop):
            kept = self.alone.kept(pop, host, order)
            return tuple(each for each in every if each.prefix in kept)
        return every

    def _report(self, pop: PopName, host: HostName) -> Report:
        order = self.wires.get(host)
        sessions = tuple(
            Session(uplink=link, family=kind, established=True, families=(kind,))
            for link in self.fleet.pops[pop].uplinks
            for kind in Family
        )
        return Report(
            instance="i",
            sessions=sessions,
            uplinks=self.alone.uplinks(pop),
            services=(
                Fitness(
                    service="www", fit=pop not in self.unfit, overloaded=pop in self.overloaded
                ),
            ),
            wire=self._sent(pop, host),
            terminated=order.terminate if order else (),
            deeds=self.alone.deeds_of(host),
            keeps=self.alone.keeps_of(host),
            **self.alone.follows(host),
        )

    def _sightings(self, watcher: PopName) -> Sightings:
        seen = tuple(
            Sighting(
                pop=other,
                uplink="north",
                family=kind,
                up=other not in self.silent
                and watcher not in self.blind
                and not {(watcher, kind), (other, kind)} & self.half
                and (watcher, other) not in self.unseen,
            )
            for other in self.fleet.pops
            for kind in Family
            if other != watcher
        )
        watched = self.wires.get(self.fleet.bgp_hosts(watcher)[0])
        living = [pop for pop in self.fleet.pops if pop not in self.silent and pop != watcher]
        witnesses = {
            prefix: tuple(pop for pop in living if prefix in self.wire(pop))
            for prefix in (watched.observe if watched else ())
        }
        return Sightings(
            instance="i",
            seen=seen,
            witnesses=witnesses,
            paused=watcher in self.paused,
            said=tuple(said for pop, said in self.said.items() if pop != watcher),
        )


def restarted(stage: Stage, run: Run | None) -> None:
    """The controller dies and comes back with ``run`` (none: an empty journal)."""
    kept = stage.world
    if run is None:
        stage.run = fresh(stage.fleet, 1, stage.now)
    else:
        copy = msgspec.json.decode(msgspec.json.encode(run), type=Run)
        stage.run = msgspec.structs.replace(copy, epoch=copy.epoch + 1, begun=False)
    # What an operator asked for survives in the run alone, exactly as in the loop.
    stage.world = World(began_at=stage.now, connected=True, drains=stage.run.drains)
    for host, belief in kept.hosts.items():
        # The broker's retained messages.
        pop = kept.pops[host]
        if belief.report:
            stage.learn(HostReported(pop, host, belief.report))
        if belief.sightings:
            stage.learn(HostSighted(pop, host, belief.sightings))
