"""`python3 -m lab`: the lab's commands; `./dev lab` and `./dev bench` call it."""

from __future__ import annotations

import sys

from lab.bench import commands as bench
from lab.commands import app, run
from lab.demo import commands as demo
from lab.running import commands as running


def main() -> None:
    """Run the command line."""
    for each in (demo, running, bench):
        each.add_commands(app)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
