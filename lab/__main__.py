"""`python3 -m lab`: the lab's commands; `./dev lab` and `./dev bench` call it."""

from __future__ import annotations

import sys

from lab.bench import commands as bench
from lab.commands import ERROR, app, run
from lab.demo import commands as demo
from lab.engines import LabError, shelter
from lab.running import commands as running


def main() -> None:
    """Run the command line; an ordinary user's in namespaces of that user's own."""
    for each in (demo, running, bench):
        each.add_commands(app)
    try:
        shelter.enter(sys.argv[1:])
    except LabError as fault:
        sys.stderr.write(f"lab: {fault}\n")
        sys.exit(ERROR)
    try:
        sys.exit(run(sys.argv[1:]))
    finally:
        shelter.leave()


if __name__ == "__main__":
    main()
