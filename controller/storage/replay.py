"""Replaying a journal: the same turns at the same instants give the same decisions.

``step`` and ``fold`` are functions of their arguments alone, so a journal is a bug report. It
holds every tick that changed the run, and none that did not: such a turn leaves run and world as
they were and can matter to nothing after it. So nothing is guessed about when the loop woke up,
and a restart is a turn of its own, with the run it began with.

    python -m controller.storage.replay JOURNAL FLEET
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from ambicast.files import FleetFileError, load_fleet
from ambicast.model.fleet import Fleet
from controller.choreography.run import (
    Command,
    Happened,
    PublishMap,
    PublishOrder,
    PublishSteering,
    Run,
    WakeAt,
)
from controller.choreography.step import step
from controller.choreography.technique import EVERYTHING, Technique
from controller.storage.journal import JournalError, SqliteJournal
from controller.world.belief import World, fold


def replay(
    journal: Path, fleet: Fleet, techniques: frozenset[Technique] = EVERYTHING
) -> Iterator[tuple[float, Command]]:
    """Every command the controller gave, with its instant, without the times it meant to wake at.

    Begins at the first start of a controller that the journal still holds.

    Args:
        journal: the SQLite file; opened for reading only.
        fleet: the fleet as it was then.
        techniques: those of the settings then.

    Raises:
        JournalError: the file is no journal, or there is none.
    """
    kept = SqliteJournal(journal, reading=True)
    run: Run | None = None
    world = World(began_at=0.0)
    try:
        for turn in kept.turns():
            if turn.began is not None:
                run, world = turn.began, World(began_at=turn.at, drains=turn.began.drains)
            elif run is not None:
                for observation in turn.learned:
                    world = fold(world, observation, turn.at)
                run, commands = step(run, world, fleet, turn.at, techniques)
                for command in commands:
                    if not isinstance(command, WakeAt):
                        yield turn.at, command
    finally:
        kept.close()


def line(at: float, command: Command) -> str:
    """One decision on one line."""
    match command:
        case PublishOrder(_, host, stamp, order):
            prefixes = " ".join(sorted({each.prefix for each in order.advertisements}))
            return f"{at:.3f} order {stamp.epoch}.{stamp.generation} {host}: {prefixes or '-'}"
        case PublishSteering(nameserver, stamp, steering):
            answers = " ".join(
                f"{group}={','.join(addresses)}"
                for groups in steering.answers.values()
                for group, addresses in sorted(groups.items())
            )
            return f"{at:.3f} steering {stamp.epoch}.{stamp.generation} {nameserver}: {answers}"
        case PublishMap(nameserver, stamp):
            return f"{at:.3f} map {stamp.epoch}.{stamp.generation} {nameserver}"
        case Happened(_, kind, pop, text):
            return f"{at:.3f} {kind} {pop}: {text}"
        case WakeAt(then):
            return f"{at:.3f} wake {then:.3f}"


def main(arguments: list[str]) -> int:
    """Prints every decision; 0, or 2 with one line that says what is wrong."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m controller.storage.replay JOURNAL FLEET\n")
        return 2
    try:
        fleet = load_fleet(Path(arguments[1]))
        for at, command in replay(Path(arguments[0]), fleet):
            sys.stdout.write(line(at, command) + "\n")
    except (FleetFileError, JournalError) as fault:
        sys.stderr.write(f"replay: {fault}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
