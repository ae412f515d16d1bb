"""Evidence outlives a lab that failed: its nodes' logs are copied before it is taken down."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lab.engines.running import RunningLab


@contextlib.contextmanager
def keeping_logs(lab: RunningLab) -> Iterator[None]:
    """Copy all logs away where the body fails, and say where they are."""
    try:
        yield
    except Exception:
        kept = Path(tempfile.mkdtemp(prefix="ambicast-logs-"))
        for log in sorted(lab.directory.glob("*/log")):
            with contextlib.suppress(OSError):
                shutil.copytree(log, kept / log.parent.name)
        print(f"logs of the failed trial: {kept}", file=sys.stderr, flush=True)
        raise
