"""From postures to what is sent: orders, answers, the client map; only what changed is sent."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, PopName
from controller.choreography.anycast import depths
from controller.choreography.contingencies import armed, plans
from controller.choreography.keepers import name_keepers
from controller.choreography.look import Look
from controller.choreography.orders import Wanted, orders
from controller.choreography.phases import Phase
from controller.choreography.posture import Posture
from controller.choreography.run import (
    Command,
    PublishMap,
    PublishOrder,
    PublishSteering,
    Run,
    SentOrder,
    given,
)
from controller.choreography.technique import Technique
from controller.planning.answers import client_map, steering
from controller.planning.assignment import Assignment, assign


def derive(run: Run, look: Look) -> tuple[Run, list[Command]]:
    """The run with what is now desired as sent, and the commands that send what changed."""
    run, sent = _derive_orders(run, look)
    run, mapped = _derive_map(run, look.fleet)
    run, answered = _derive_steering(run, look.fleet, look.techniques)
    return run, sent + mapped + answered


def _derive_orders(run: Run, look: Look) -> tuple[Run, list[Command]]:
    fleet, halves = look.fleet, Technique.HALVES in look.techniques
    run = msgspec.structs.replace(run, keepers=name_keepers(run, look))
    postures = {name: each.posture for name, each in run.pops.items()}
    if halves:
        run = _arm(run, fleet, postures)
    wanted = Wanted(
        postures=postures,
        anycast=depths(run) if halves else {},
        keepers=run.keepers,
        plans=plans(run.failover, run.armed),
        kept=run.kept,
    )
    commands: list[Command] = []
    kept = dict(run.orders)
    generation = run.generation
    for host, desired in orders(fleet, wanted).items():
        held = run.orders.get(host)
        if (
            held is not None
            and held.stamp.epoch == run.epoch
            and held.digest == desired.digest
            and (held.order is desired.slim or held.order == desired.slim)
        ):
            continue
        generation += 1
        kept[host] = SentOrder(Stamp(run.epoch, generation), desired.slim, desired.digest)
        commands.append(PublishOrder(desired.pop, host, kept[host].stamp, desired.order))
    if not commands:
        return run, commands
    return msgspec.structs.replace(run, orders=kept, generation=generation), commands


def _arm(run: Run, fleet: Fleet, postures: Mapping[PopName, Posture]) -> Run:
    """Contingencies beat what is advertised from now on, so they go with it in one order.

    Also while a PoP is away: who helps whom is frozen then, but not what the next loss leaves.
    """
    lost = tuple(name for name in run.failover if name in postures)
    found = armed(fleet, lost, postures, depths(run), run.kept)
    return run if found == run.armed else msgspec.structs.replace(run, armed=found)


def _derive_map(run: Run, fleet: Fleet) -> tuple[Run, list[Command]]:
    clients = client_map(fleet)
    if run.clients == clients and run.map_stamp.epoch == run.epoch:
        return run, []
    stamp = Stamp(run.epoch, run.generation + 1)
    run = msgspec.structs.replace(
        run, clients=clients, map_stamp=stamp, generation=stamp.generation
    )
    return run, [PublishMap(name, stamp, clients) for name in sorted(fleet.nameservers)]


def _derive_steering(
    run: Run, fleet: Fleet, techniques: frozenset[Technique]
) -> tuple[Run, list[Command]]:
    # Without the DNS technique, answers stay where they were whatever is lost (a baseline).
    started = {name: 1.0 for name, each in run.pops.items() if each.phase is not Phase.STARTING}
    assignments: dict[Family, Assignment] = {}
    shares: list[Mapping[PopName, float]] = []
    for kind in Family:
        shares.append(given(run, kind) if Technique.DNS in techniques else started)
        held = run.assignments[kind].pops if kind in run.assignments else None
        # Where the families agree, and they nearly always do, they are placed once.
        same = kind is not Family.V4 and shares[0] == shares[-1] and _agree(run)
        assignments[kind] = assignments[Family.V4] if same else assign(fleet, shares[-1], held)
    answers = steering(fleet, assignments)
    if answers == run.steering and run.steering_stamp.epoch == run.epoch:
        return run, []
    stamp = Stamp(run.epoch, run.generation + 1)
    run = msgspec.structs.replace(
        run,
        steering=answers,
        steering_stamp=stamp,
        assignments=assignments,
        generation=stamp.generation,
    )
    return run, [PublishSteering(name, stamp, answers) for name in sorted(fleet.nameservers)]


def _agree(run: Run) -> bool:
    found = run.assignments
    return not found or found.get(Family.V4) == found.get(Family.V6)
