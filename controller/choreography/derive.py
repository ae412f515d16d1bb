"""From postures to what is sent: orders, answers, the client map; only what changed is sent."""

from __future__ import annotations

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.look import Look
from controller.choreography.orders import orders
from controller.choreography.phases import Phase
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
from controller.planning.assignment import assign


def derive(run: Run, look: Look) -> tuple[Run, list[Command]]:
    """The run with what is now desired as sent, and the commands that send what changed."""
    run, sent = _derive_orders(run, look)
    run, mapped = _derive_map(run, look.fleet)
    run, answered = _derive_steering(run, look.fleet, look.techniques)
    return run, sent + mapped + answered


def _derive_orders(run: Run, look: Look) -> tuple[Run, list[Command]]:
    fleet = look.fleet
    postures = {name: each.posture for name, each in run.pops.items()}
    depth = run.anycast_depth if Technique.HALVES in look.techniques else 0
    commands: list[Command] = []
    kept = dict(run.orders)
    generation = run.generation
    serving = _last_ones(run, look)
    desired = orders(fleet, postures, depth, serving, fail_open=look.fail_open())
    for host, order in desired.items():
        held = run.orders.get(host)
        if held is not None and held.order == order and held.stamp.epoch == run.epoch:
            continue
        generation += 1
        kept[host] = SentOrder(Stamp(run.epoch, generation), order)
        commands.append(PublishOrder(fleet.pop_of(host).name, host, kept[host].stamp, order))
    return msgspec.structs.replace(run, orders=kept, generation=generation), commands


def _last_ones(run: Run, look: Look) -> frozenset[PopName]:
    """Who serves; where nobody does any more, who was last: that one keeps the shared prefixes."""
    last = {look.fleet.pop_of(h).name for h, sent in run.orders.items() if sent.order.keepers}
    return look.perhaps_serving() or frozenset(last)


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
    assignment = assign(fleet, given(run) if Technique.DNS in techniques else started)
    answers = steering(fleet, assignment)
    if answers == run.steering and run.steering_stamp.epoch == run.epoch:
        return run, []
    stamp = Stamp(run.epoch, run.generation + 1)
    run = msgspec.structs.replace(
        run,
        steering=answers,
        steering_stamp=stamp,
        assignment=assignment,
        generation=stamp.generation,
    )
    return run, [PublishSteering(name, stamp, answers) for name in sorted(fleet.nameservers)]
