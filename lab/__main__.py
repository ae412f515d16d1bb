"""`python3 -m lab`: the lab's commands; `./dev lab` calls it."""

from __future__ import annotations

import sys

from lab.commands import run


def main() -> None:
    """Run the command line."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
