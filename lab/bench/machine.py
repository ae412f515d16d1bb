"""Which machine a benchmark ran on: figures of different machines are never compared."""

from __future__ import annotations

from pathlib import Path

import msgspec

from lab.running.host import Host


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Processor, cores, memory in GiB, and load when the benchmark began."""

    cpu: str
    cores: int
    memory: float
    load: float


def machine(host: Host) -> Machine:
    """This machine."""
    kib = _value(Path("/proc/meminfo"), "MemTotal").split(" ")[0]
    return Machine(
        cpu=_value(Path("/proc/cpuinfo"), "model name") or "unknown",
        cores=host.cores,
        memory=round(int(kib or 0) / 2**20, 1),
        load=host.load,
    )


def _value(path: Path, name: str) -> str:
    for line in path.read_text(errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
