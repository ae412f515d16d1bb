"""Takes a lab down when the process that brought it up is gone, killed ones included.

It reads a pipe whose only writer is that process: end of file means that it is gone. Run as
`python3 -m lab.engines.guard NAME`; a line on the pipe dismisses it.
"""

from __future__ import annotations

import signal
import sys

from lab.engines.bringing import attach
from lab.engines.faults import LabError


def main() -> None:
    """Wait for the end of standard input, then take the lab down."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.stdin.readline():
        return
    try:
        lab = attach(sys.argv[1])
    except LabError:
        return
    lab.down()


if __name__ == "__main__":
    main()
