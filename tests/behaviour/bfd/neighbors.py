"""bfdd in the PoP's namespace, started as ``ambicast-agent bfdd`` does; BIRD is every neighbor."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

from agents.bfd.control import Bfd
from tests.behaviour.exabgp.neighborhood import POP, Neighborhood, run
from tests.behaviour.kernel.world import Told

INTERVAL, MULTIPLIER = 0.1, 3
DETECTED = INTERVAL * MULTIPLIER
START = "import sys; from pathlib import Path; from agents.bfd.launch import run_bfdd"

_NEIGHBORS = (
    ("north_v4", "10.3.1.2", "10.3.1.1", "eth1"),
    ("north_v6", "fd00:3:0:1::2", "fd00:3:0:1::1", "eth1"),
    ("south_v4", "10.4.1.2", "10.4.1.1", "eth2"),
    ("south_v6", "fd00:4:0:1::2", "fd00:4:0:1::1", "eth2"),
)


def bird_config(without: str = "") -> str:
    neighbors = "\n".join(
        f'  neighbor {far} dev "{link}" local {own};'
        for name, far, own, link in _NEIGHBORS
        if name != without
    )
    return f"""\
log stderr all;
router id 10.3.0.1;
debug protocols all;
protocol device {{}}
protocol bfd bfd1 {{
  interface "eth*" {{ interval 100 ms; multiplier 3; }};
{neighbors}
}}
"""


class Watched:
    """The neighborhood, bfdd in it, and adapters attached to bfdd."""

    def __init__(self, place: Neighborhood) -> None:
        self.place = place
        self.folder = Path(tempfile.mkdtemp(prefix="ambicast-bfd-"))
        self.folder.chmod(0o755)
        self.socket = self.folder / "bfdd" / "bfdd.sock"
        self.bfdd: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task] = []

    async def start_bfdd(self) -> None:
        with (self.folder / "bfdd.log").open("ab") as log:
            self.bfdd = await asyncio.create_subprocess_exec(
                "ip", "netns", "exec", self.place.pop_space,
                sys.executable, "-c", f"{START}; run_bfdd(Path(sys.argv[1]))", self.socket,
                stdout=log, stderr=log,
            )  # fmt: skip

    async def kill_bfdd(self) -> None:
        self.bfdd.kill()
        await self.bfdd.wait()

    def attach(self) -> tuple[Told, asyncio.Task]:
        told = Told()
        adapter = Bfd(self.socket, POP, INTERVAL, MULTIPLIER, told)
        task = asyncio.get_running_loop().create_task(adapter.run(), name="bfd")
        self._tasks.append(task)
        return told, task

    def drop(self, family: str) -> None:
        """Nothing of this family reaches the PoP's neighbors any more."""
        chain = "chain out { type filter hook output priority 0; drop; };"
        rules = f"table {family} faults {{ {chain} }}"
        run("ip", "netns", "exec", self.place.pop_space, "nft", "-f", "-", given=rules.encode())

    def restore(self) -> None:
        run("ip", "netns", "exec", self.place.pop_space, "nft", "flush", "ruleset")

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self.bfdd is not None and self.bfdd.returncode is None:
            await self.kill_bfdd()
        shutil.rmtree(self.folder)
