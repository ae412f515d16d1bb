"""A process of ours that outlives this command and says when it is ready.

It writes the line `ready` to its output once it may be used; what it writes to its errors lands in
a log, whose end is the reason where it never gets there.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

READY: Final = b"ready\n"


class NotReadyError(Exception):
    """It ended before it was ready; the text is the end of its log."""


def start(
    argv: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, and wait until it is ready.

    Raises:
        NotReadyError: it is not going to be.
    """
    with log.open("ab") as errors:
        process = subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert process.stdout is not None
    with process.stdout as said:
        ready = said.readline() == READY
    if not ready:
        process.kill()
        process.wait()
        raise NotReadyError(log.read_text(errors="replace").strip()[-300:])
    return process
